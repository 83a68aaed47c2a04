import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RollcallError } from '../../../src/errors.ts';
import type { Submission } from '../../../src/protocol/mmcloud/op-center.ts';
import { FloatCli, type FloatOptions } from '../../../src/upstream/mmcloud/float.ts';
import { recordedLog } from '../../flyte/support/log.ts';
import { FakeFloat } from '../../support/fake-float/fake-float.ts';
import { SOON } from '../../support/soon.ts';

let fake: FakeFloat;
beforeEach(() => {
  fake = new FakeFloat();
});
afterEach(() => fake.remove());

const log = recordedLog();
const open = (more: Partial<FloatOptions> = {}): FloatCli =>
  new FloatCli({ program: fake.program, credentials: fake.credentials, log, ...more });

const signal = (): AbortSignal => AbortSignal.timeout(200_000);
const job = (more: Partial<Submission> = {}): Submission => ({
  cpu: { min: 2n, max: 4n },
  mem: { min: 4n, max: undefined },
  image: 'img:1',
  env: [{ key: 'KEY', value: 'a value' }],
  args: ['pyflyte-execute', '--inputs', "it's here"],
  extra: [],
  tag: undefined,
  ...more,
});

/** Everything that an error, and what was logged, says, causes included. */
function told(error: unknown): string {
  const seen: unknown[] = [];
  for (let each = error; each instanceof Error; each = each.cause) {
    seen.push(each.message, each.stack, Object.entries(each), JSON.stringify(each));
  }
  return JSON.stringify([seen, log.lines.map((line) => [line.message, Object.entries(line.fields).map(String)])]);
}

async function failureOf(promise: Promise<unknown>): Promise<RollcallError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RollcallError);
  for (const spelling of [
    fake.password,
    JSON.stringify(fake.password).slice(1, -1),
    encodeURIComponent(fake.password),
  ]) {
    expect(told(error)).not.toContain(spelling);
    expect(told(error)).not.toContain(JSON.stringify(spelling).slice(1, -1));
  }
  return error as RollcallError;
}

/** Dead: there is no such process, or only its entry, which nobody has collected yet. */
const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    const stat = `/proc/${pid}/stat`;
    return existsSync(stat) && /\) Z /.test(readFileSync(stat, 'utf8'));
  } catch {
    return true;
  }
};
const jobDirectories = () => readdirSync(tmpdir()).filter((name) => name.startsWith('rollcall-job-'));

describe('the float CLI', () => {
  it('is called with the very arguments that it wants', async () => {
    const float = open();
    const id = await float.submit(job({ extra: ['--name', 'mine'], tag: 'abc123' }), signal());
    await float.show(id, signal());
    await float.cancel(id, signal());
    const [submitted] = fake.jobs();
    const { address, username, password } = fake;
    expect(fake.calls().map(({ argv }) => argv)).toEqual([
      ['login', '--info'],
      ['login', '--address', address, '--username', username, '--password', password],
      ['list', '--format', 'json'],
      [
        ...['submit', '--force', '--format', 'json', '--cpu', '2:4', '--mem', '4', '--image', 'img:1'],
        ...['--env', 'KEY=a value', '--customTag', 'rollcall-attempt:abc123', '--name', 'mine'],
        ...['--job', submitted!.seen.file],
      ],
      ['show', '--format', 'json', '--job', id],
      ['cancel', '--force', '--job', id],
    ]);
  });

  it('gets a script that only we may read, and which is gone afterwards', async () => {
    const before = jobDirectories();
    await open().submit(job(), signal());
    const [{ seen }] = fake.jobs() as [ReturnType<FakeFloat['jobs']>[number]];
    expect(seen.script).toBe(`#!/bin/bash\npyflyte-execute --inputs 'it'"'"'s here'\n`);
    expect([seen.mode, seen.dirMode]).toEqual([0o600, 0o700]);
    expect(existsSync(dirname(seen.file))).toBe(false);
    expect(jobDirectories()).toEqual(before);
  });

  it('removes the script when it fails, too', async () => {
    const before = jobDirectories();
    await failureOf(open().submit(job({ image: 'refused/x' }), signal()));
    fake.fault('submit', 'hang');
    await failureOf(open({ timeoutMs: 500 }).submit(job(), signal()));
    expect(jobDirectories()).toEqual(before);
  });

  it('sees nothing of our environment but what it needs', async () => {
    vi.stubEnv('SECRET_KEY', 'for us alone');
    vi.stubEnv('AUTH_SECRET', 'for us alone');
    await open().login(signal());
    vi.unstubAllEnvs();
    const allowed = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];
    const shellsOwn = ['PWD', 'OLDPWD', 'SHLVL', '_'];
    for (const { env } of fake.calls()) {
      expect(env).toContain('PATH');
      expect(
        env.filter((name) => ![...allowed, ...shellsOwn].includes(name) && !/^(https?|no)_proxy$/i.test(name)),
      ).toEqual([]);
    }
  });
});

describe('the session', () => {
  it('is had by one login, however many need it', async () => {
    const float = open();
    await Promise.all(Array.from({ length: 20 }, (_, i) => float.submit(job({ tag: `t${i}` }), signal())));
    expect(fake.logins()).toEqual({ asked: 1, loggedIn: 1 });
    expect(fake.jobs()).toHaveLength(20);
  });

  it('is kept when there is one', async () => {
    await open().login(signal());
    await open().login(signal());
    expect(fake.logins()).toEqual({ asked: 2, loggedIn: 1 });
  });

  it('is asked for again when it was not seen for a while', async () => {
    const float = open({ session: { trustMs: 0, pauseMs: 0 } });
    await float.login(signal());
    await float.login(signal());
    expect(fake.logins().asked).toBe(2);
  });

  it('is renewed once when it ended behind our back', async () => {
    const float = open();
    const ids = await Promise.all([1, 2, 3, 4].map((i) => float.submit(job({ tag: `t${i}` }), signal())));
    fake.expire();
    const reports = await Promise.all(ids.map((id) => float.show(id, signal())));
    expect(reports.map((report) => report?.status)).toEqual(Array(4).fill('Submitted'));
    expect(fake.logins()).toEqual({ asked: 2, loggedIn: 2 });
  });

  it('is no reason to submit twice', async () => {
    const float = open();
    await float.login(signal());
    fake.fault('submit', 'expire');
    await float.submit(job({ tag: 'once' }), signal());
    expect(fake.calls('submit')).toHaveLength(2);
    expect(fake.jobs()).toHaveLength(1);
  });

  it('fails without a word of the password, and is not asked for again at once', async () => {
    const float = open({ credentials: { ...fake.credentials, username: 'nobody' } });
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(float.login(signal()))));
    expect(failures[0]!.code).toBe('UPSTREAM_UNREACHABLE');
    expect(failures[0]!.message).toMatch(
      /^Login to the MMCloud OpCenter failed \(exit code 1\): check MMCLOUD_ADDRESS/,
    );
    await failureOf(float.show('x', signal()));
    expect(fake.logins()).toEqual({ asked: 1, loggedIn: 1 });
  });

  it('is nobody’s alone: who leaves does not end the login of others', async () => {
    const float = open();
    const leaver = new AbortController();
    const left = float.login(leaver.signal);
    const stays = float.login(signal());
    leaver.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    await stays;
    expect(fake.logins()).toEqual({ asked: 1, loggedIn: 1 });
  });
});

describe('a submission', () => {
  it('that is repeated finds the job of the first one, in another process too', async () => {
    const first = await open().submit(job({ tag: 'same' }), signal());
    fake.change(first, { status: 'Executing' });
    expect(await open().submit(job({ tag: 'same' }), signal())).toBe(first);
    expect(await open().submit(job({ tag: 'other' }), signal())).not.toBe(first);
    expect(fake.jobs()).toHaveLength(2);
  });

  it.each(['dropped', 'garbage', 'empty'] as const)('whose answer is lost (%s) finds its job', async (fault) => {
    fake.fault('submit', fault);
    const id = await open().submit(job({ tag: 'mine' }), signal());
    expect(fake.jobs().map((each) => each.id)).toEqual([id]);
  });

  it('that hangs after it was done is stopped, and finds its job', async () => {
    fake.fault('submit', 'lost');
    const id = await open({ timeoutMs: 4_000 }).submit(job({ tag: 'mine' }), signal());
    expect(fake.jobs().map((each) => each.id)).toEqual([id]);
    await vi.waitFor(async () => expect(gone(await fake.hanging())).toBe(true), SOON);
  });

  it('without a tag fails when its answer is lost', async () => {
    fake.fault('submit', 'garbage');
    const error = await failureOf(open().submit(job(), signal()));
    expect(error).toMatchObject({ code: 'UPSTREAM_INVALID', message: 'The answer of float submit cannot be read.' });
  });

  it('that is refused says why, and tells no value of its environment', async () => {
    const env = [{ key: 'DB_PASSWORD', value: 'hunter2hunter2' }];
    const error = await failureOf(open().submit(job({ image: 'refused/x', env, tag: 't' }), signal()));
    expect(error.code).toBe('UPSTREAM_INVALID');
    expect(error.message).toBe(
      'float submit failed (exit code 1): Error: Invalid argument, no such image refused/x, env DB_PASSWORD=(secret) (code: 1005)',
    );
  });
});

describe('a failing CLI', () => {
  it.each(['show', 'list', 'submit', 'cancel'])('tells no password when %s blabs', async (command) => {
    const float = open();
    const id = await float.submit(job({ tag: 'a' }), signal());
    fake.fault(command, 'blab', 2);
    const run = {
      show: () => float.show(id, signal()),
      cancel: () => float.cancel(id, signal()),
      list: () => float.submit(job({ tag: 'b' }), signal()),
      submit: () => float.submit(job(), signal()),
    }[command]!;
    expect((await failureOf(run())).message).toContain('password=(secret)');
  });

  it('tells no password when login blabs', async () => {
    fake.fault('login', 'blab', 2);
    expect((await failureOf(open().login(signal()))).message).not.toContain('internal error');
  });

  it('that hangs is stopped, with all that it started', async () => {
    const float = open({ timeoutMs: 4_000 });
    await float.login(signal());
    fake.fault('show', 'hang');
    const failing = failureOf(float.show('x', signal()));
    const pid = await fake.hanging();
    expect(gone(pid)).toBe(false);
    expect(await failing).toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: 'float show did not end within 4 s and was stopped.',
    });
    await vi.waitFor(() => expect(gone(pid)).toBe(true), SOON);
  });

  it('is stopped when the caller leaves', async () => {
    const float = open();
    await float.login(signal());
    fake.fault('show', 'hang');
    const caller = new AbortController();
    const failing = float.show('x', caller.signal);
    const pid = await fake.hanging();
    caller.abort(new Error('cancelled'));
    await expect(failing).rejects.toThrow('cancelled');
    await vi.waitFor(() => expect(gone(pid)).toBe(true), SOON);
  });

  it.each([
    ['crash', 'float show failed (was killed): it said nothing'],
    ['garbage', 'The answer of float show cannot be read.'],
    ['empty', 'The answer of float show cannot be read.'],
    ['flood', 'float show printed more than 16 MiB.'],
  ] as const)('that answers wrongly (%s) is no answer', async (fault, message) => {
    const float = open();
    const id = await float.submit(job(), signal());
    fake.fault('show', fault);
    const error = await failureOf(float.show(id, signal()));
    expect(error.code).toBe('UPSTREAM_INVALID');
    // The wrapper script turns the signal of what it ran into an exit code of its own.
    expect(error.message.replace(/exit code 1\d\d/, 'was killed')).toContain(message.split(':')[0]!);
  });

  it('that is not there says so', async () => {
    const error = await failureOf(open({ program: `${fake.directory}/nothing` }).login(signal()));
    expect(error).toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
      message: 'float login cannot be started (ENOENT).',
    });
  });

  it('is run so many times at once and no more', async () => {
    const float = open({ processes: 2 });
    const id = await float.submit(job(), signal());
    fake.fault('show', 'hang', 2);
    const enough = new AbortController();
    const hanging = [1, 2].map(() => float.show(id, enough.signal).catch(() => 'stopped'));
    await vi.waitFor(() => expect(fake.calls('show')).toHaveLength(2), SOON);
    const caller = new AbortController();
    const left = float.show(id, caller.signal);
    const waits = float.show(id, signal());
    caller.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect(fake.calls('show')).toHaveLength(2);
    enough.abort(new Error('enough'));
    expect(await Promise.all(hanging)).toEqual(['stopped', 'stopped']);
    expect((await waits)?.status).toBe('Submitted');
  });
});

describe('a job', () => {
  it('is shown as the OpCenter tells of it', async () => {
    const float = open();
    const id = await float.submit(job(), signal());
    fake.change(id, { status: 'FailToExecute', rc: '2', workingHost: '10.0.0.9 (2Core4GB/Spot)', cost: '0.0017 USD' });
    expect(await float.show(id, signal())).toEqual({
      id,
      status: 'FailToExecute',
      rc: '2',
      workingHost: '10.0.0.9 (2Core4GB/Spot)',
      cost: '0.0017 USD',
    });
  });

  it('that is not there is undefined, and costs no login', async () => {
    const float = open();
    expect(await float.show('nothing', signal())).toBeUndefined();
    expect(fake.logins()).toEqual({ asked: 1, loggedIn: 1 });
  });

  it('is cancelled once and for all', async () => {
    const float = open();
    const id = await float.submit(job(), signal());
    await float.cancel(id, signal());
    expect(fake.jobs()[0]!.status).toBe('Cancelled');
    await float.cancel(id, signal());
    await float.cancel('nothing', signal());
  });

  it('that has ended needs no cancelling, but one that goes on does', async () => {
    const float = open();
    const id = await float.submit(job(), signal());
    fake.change(id, { status: 'Completed' });
    await float.cancel(id, signal());
    expect(fake.jobs()[0]!.status).toBe('Completed');
    fake.change(id, { status: 'Executing' });
    fake.fault('cancel', 'blab');
    expect((await failureOf(float.cancel(id, signal()))).message).toContain('float cancel failed');
  });
});
