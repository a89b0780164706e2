-- A token bucket by the server's clock. Micro-tokens and microseconds are whole numbers below 2^53.
-- KEYS[1]: hash of `tokens` (below zero: turns given ahead) and `at` (up to when they were filled in).
-- ARGV: capacity, cost (micro-tokens), rate (micro-tokens per microsecond), longest wait, keep (microseconds).
-- Answers how long to wait for the turn taken; below zero: nothing was taken, come back after so long.
local capacity, cost, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local longest, keep = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local found = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(found[1]) or capacity
-- A clock that was set back gives nothing, and takes nothing.
local at = math.min(tonumber(found[2]) or now, now)

local credit = math.min(math.floor((now - at) * rate), capacity - tokens)
if tokens + credit >= capacity then
  at = now
else
  -- What is less than a micro-token stays in the time not yet filled in.
  at = math.min(now, at + math.ceil(credit / rate))
end
tokens = tokens + credit

local wait = math.max(0, at + math.ceil(math.max(0, cost - tokens) / rate) - now)
local taken = wait <= longest
if taken then
  tokens = tokens - cost
end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', at)
redis.call('PEXPIRE', KEYS[1], math.ceil(keep / 1000))
return taken and wait or -wait
