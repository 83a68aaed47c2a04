// MemVerge's `float` CLI as far as reference and practice tell of it: arguments are checked, the session and the jobs
// live in a directory, so that processes share them as those of the real one do. Called as: float.mjs STATE_DIR args…
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const [state, ...argv] = process.argv.slice(2);
const at = (...parts) => join(state, ...parts);
const read = (...parts) => JSON.parse(readFileSync(at(...parts), 'utf8'));
const settings = read('settings.json');

const fail = (text, code = 1) => {
  process.stderr.write(`Error: ${text}\n`);
  process.exit(code);
};

appendFileSync(
  at('calls.jsonl'),
  `${JSON.stringify({ argv, env: Object.keys(process.env), pid: process.pid, at: Date.now() })}\n`,
);

/** Faults that a test ordered for this command: each file is one, and works once. */
const faults = new Set();
for (const name of readdirSync(at('faults')).toSorted()) {
  const [command, fault] = name.split('.');
  if (command !== argv[0] || faults.has(fault)) continue;
  try {
    unlinkSync(at('faults', name));
    faults.add(fault);
  } catch {
    // Another process took it.
  }
}

const hang = () => {
  appendFileSync(at('hanging'), `${process.pid}\n`);
  setInterval(() => {}, 60_000);
  return new Promise(() => {});
};
if (faults.has('hang')) await hang();
if (faults.has('crash')) process.kill(process.pid, 'SIGSEGV');
if (faults.has('flood')) {
  const chunk = 'x'.repeat(1 << 20);
  for (;;) if (!process.stdout.write(chunk)) await new Promise((drained) => process.stdout.once('drain', drained));
}
if (faults.has('expire')) rmSync(at('session'), { force: true });
// What a careless program does with its arguments.
if (faults.has('blab')) fail(`internal error, command line: float ${argv.join(' ')} password=${settings.password}`);

const takes = (...names) => {
  for (const name of names) {
    if (argv.shift() !== name) fail(`expected ${name}`);
  }
};
const value = () => argv.shift() ?? fail('flag needs an argument');
const nothingLeft = () => argv.length === 0 || fail(`unknown argument ${argv[0]}`);

const needSession = () => {
  if (!existsSync(at('session'))) fail('Invalid token, please login first (code: 1021)');
};
const print = (answer) => {
  if (faults.has('garbage')) process.stdout.write('<html>502 Bad Gateway</html>\n');
  else if (faults.has('empty')) process.stdout.write('{}\n');
  else process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
};
const noSuchJob = () => fail('Invalid argument, invalid job ID (code: 1003)');
const save = (job) => {
  const draft = at('jobs', `.${job.id}.${process.pid}`);
  writeFileSync(draft, JSON.stringify(job));
  renameSync(draft, at('jobs', `${job.id}.json`));
};
const load = (id) => {
  if (!/^[\w-]+$/.test(id) || !existsSync(at('jobs', `${id}.json`))) noSuchJob();
  return read('jobs', `${id}.json`);
};
const TERMINAL = [
  'Completed',
  'Cancelled',
  'FailToComplete',
  'FailToExecute',
  'CheckpointFailed',
  'Timedout',
  'NoAvailableHost',
];

const RANGE = /^([1-9]\d*)(?::([1-9]\d*))?$/;
const range = (name) => {
  takes(name);
  const [, min, max] = RANGE.exec(value()) ?? fail(`invalid ${name}`);
  if (max !== undefined && Number(min) > Number(max)) fail(`invalid ${name}: min exceeds max`);
  return min;
};
const EXTRA = new Set([
  '--name',
  '--vmPolicy',
  '--migratePolicy',
  '--timeLimit',
  '--dataVolume',
  '--instType',
  '--imageVolSize',
]);

const commands = {
  login() {
    if (argv[0] === '--info') {
      takes('--info');
      nothingLeft();
      if (!existsSync(at('session'))) fail('not logged in');
      process.stdout.write(`address: ${settings.address}\nusername: ${settings.username}\n`);
      return;
    }
    takes('--address');
    const address = value();
    takes('--username');
    const username = value();
    takes('--password');
    const password = value();
    nothingLeft();
    if (address !== settings.address) fail(`dial tcp ${address}: connection refused`);
    if (username !== settings.username || password !== settings.password) {
      fail(`Invalid username or password (${username}/${password}) (code: 1002)`);
    }
    writeFileSync(at('session'), username);
    process.stdout.write('Login succeeded!\n');
  },

  async submit() {
    takes('--force', '--format', 'json');
    const cpu = range('--cpu');
    const mem = range('--mem');
    takes('--image');
    const image = value();
    const env = [];
    while (argv[0] === '--env') {
      takes('--env');
      env.push(/^[^=]+=[\s\S]*$/.exec(value())?.[0] ?? fail('invalid --env, want key=value'));
    }
    const customTags = {};
    while (argv[0] === '--customTag') {
      takes('--customTag');
      const [, name, tag] = /^([a-zA-Z0-9-]{1,63}):([a-zA-Z0-9-]{1,63})$/.exec(value()) ?? fail('invalid --customTag');
      customTags[name] = tag;
    }
    const extra = [];
    while (argv[0] !== '--job' && argv.length > 0) {
      if (!EXTRA.has(argv[0])) fail(`unknown flag: ${argv[0]}`);
      extra.push(argv.shift(), value());
    }
    takes('--job');
    const file = value();
    nothingLeft();
    needSession();
    if (image.startsWith('refused/'))
      fail(`Invalid argument, no such image ${image}, env ${env.join(' ')} (code: 1005)`);
    const job = {
      id: randomBytes(15).toString('base64url'),
      name: `${image}-c5d.large`,
      user: settings.username,
      imageID: image,
      status: 'Submitted',
      submitTime: new Date().toISOString(),
      duration: '0s',
      cost: '0.0000 USD',
      cpu,
      memGB: mem,
      inputArgs: ` -j ${file}  -i ${image}  -m ${mem}  -c ${cpu} `,
      vmPolicy: { policy: 'spotFirst', retryLimit: 3, retryInterval: '10m0s' },
      customTags,
    };
    const { mode } = statSync(file);
    save({
      ...job,
      seen: {
        env,
        extra,
        file,
        script: readFileSync(file, 'utf8'),
        mode: mode & 0o777,
        dirMode: statSync(dirname(file)).mode & 0o777,
      },
    });
    if (faults.has('lost')) await hang();
    if (faults.has('dropped')) fail('connection reset by peer');
    print(job);
  },

  show() {
    takes('--format', 'json', '--job');
    const id = value();
    nothingLeft();
    needSession();
    const { seen: _, ...job } = load(id);
    print(job);
  },

  cancel() {
    takes('--force', '--job');
    const id = value();
    nothingLeft();
    needSession();
    const job = load(id);
    if (TERMINAL.includes(job.status)) fail(`Invalid argument, job ${id} is ${job.status} (code: 1011)`);
    save({ ...job, status: 'Cancelled', endTime: new Date().toISOString() });
    process.stdout.write(`Cancel request for job ${id} has been submitted\n`);
  },

  list() {
    takes('--format', 'json');
    nothingLeft();
    needSession();
    const jobs = readdirSync(at('jobs')).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
    if (jobs.length === 0) {
      process.stdout.write('No jobs\n');
      return;
    }
    print(
      jobs.map((name) => {
        const { id, name: jobName, user, imageID, status, customTags } = read('jobs', name);
        return { id, name: jobName, user, imageID, status, customTags };
      }),
    );
  },
};

const command = argv.shift() ?? '';
if (!Object.hasOwn(commands, command)) fail(`unknown command "${command}" for "float"`);
await commands[command]();
