-- A sliding window by the server's clock: exact, never more than `capacity` turns in any stretch of its length.
-- KEYS[1]: list of the latest turns in microseconds, oldest first, at most `capacity` of them.
-- ARGV: capacity, weight (turns), window, longest wait, keep, furthest (microseconds).
-- Answers how long to wait for the turn taken; below zero: nothing was taken, come back after so long.
local capacity, weight, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local longest, keep, furthest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local newest = tonumber(redis.call('LINDEX', KEYS[1], -1)) or 0
if newest > now + furthest then
  -- The clock was set back: these turns would keep everyone out until it is there again.
  redis.call('DEL', KEYS[1])
  newest = 0
end

-- Turns are in order, so a turn is never before the one that was taken last.
local turn = math.max(now, newest)
local leaving = redis.call('LLEN', KEYS[1]) + weight - capacity
if leaving > 0 then
  turn = math.max(turn, tonumber(redis.call('LINDEX', KEYS[1], leaving - 1)) + window)
end
local wait = turn - now
if wait > longest then
  return -wait
end
for _ = 1, weight do
  redis.call('RPUSH', KEYS[1], turn)
end
redis.call('LTRIM', KEYS[1], -capacity, -1)
redis.call('PEXPIRE', KEYS[1], math.ceil(keep / 1000))
return wait
