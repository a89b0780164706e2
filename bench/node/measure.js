// What opossum and cockatiel ask per call, in nanoseconds of this process's CPU: one JSON document per line,
// `{"name", "samples"}`. `process.cpuUsage` counts every thread of the process: the collector's and the compiler's too.
import { createRequire } from "node:module";
import {
  ConsecutiveBreaker, ExponentialBackoff, SamplingBreaker, TimeoutStrategy,
  bulkhead, circuitBreaker, handleAll, retry, timeout, wrap,
} from "cockatiel";
import Opossum from "opossum";

const SAMPLES = 7;
const HOUR = 3_600_000;
const require = createRequire(import.meta.url);
const version = (name) => require(`./node_modules/${name}/package.json`).version;
const opossum = `opossum ${version("opossum")}`;
const cockatiel = `cockatiel ${version("cockatiel")}`;

const good = async () => 1;
const bad = async () => { throw new Error("down"); };
const ignored = () => {};

/** Nanoseconds of CPU per call, after a warm-up as long as a sample. */
async function sample(calls, call) {
  const before = process.cpuUsage();
  for (let made = 0; made < calls; made += 1) await call();
  const used = process.cpuUsage(before);
  return ((used.user + used.system) * 1000) / calls;
}

async function measure(name, calls, call) {
  await sample(calls, call);
  const samples = [];
  for (let taken = 0; taken < SAMPLES; taken += 1) samples.push(await sample(calls, call));
  console.log(JSON.stringify({ name, samples }));
}

/** A call that must be refused: a measurement of the wrong thing says so instead. */
async function refused(call) {
  const error = await call().then(() => null, (error) => error);
  if (error === null || error.message === "down") throw new Error("the call that should be rejected was not");
  return () => call().catch(ignored);
}

async function opossums() {
  const closed = (options) => new Opossum(good, { errorThresholdPercentage: 50, resetTimeout: HOUR, ...options });
  const [timed, untimed, open] = [closed({ timeout: 5000 }), closed({ timeout: false }), closed({})];
  open.open();
  await measure(`${opossum}, closed`, 100_000, () => timed.fire());
  await measure(`${opossum}, closed, without its timeout`, 200_000, () => untimed.fire());
  await measure(`${opossum}, open`, 100_000, await refused(() => open.fire()));
  for (const breaker of [timed, untimed, open]) breaker.shutdown();
}

async function cockatiels() {
  const policy = (breaker) => circuitBreaker(handleAll, { halfOpenAfter: HOUR, breaker });
  const consecutive = policy(new ConsecutiveBreaker(5));
  const sampling = policy(new SamplingBreaker({ threshold: 0.5, duration: 10_000 }));
  const open = policy(new ConsecutiveBreaker(1));
  await open.execute(bad).catch(ignored);
  const composed = wrap(
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    policy(new ConsecutiveBreaker(5)),
    bulkhead(64, 64),
    timeout(5000, TimeoutStrategy.Aggressive),
  );
  await measure(`${cockatiel}, consecutive, closed`, 200_000, () => consecutive.execute(good));
  await measure(`${cockatiel}, sampling, closed`, 200_000, () => sampling.execute(good));
  await measure(`${cockatiel}, consecutive, open`, 100_000, await refused(() => open.execute(good)));
  await measure(`${cockatiel}, retry, breaker, bulkhead, timeout`, 20_000, () => composed.execute(good));
}

await measure("(an await of nothing)", 200_000, good);
await opossums();
await cockatiels();
