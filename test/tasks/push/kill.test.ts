import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { data } from '../../support/app.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { createTestDatabase, DRIVERS } from '../../support/database.ts';
import { type ServerProcess, startServerProcess } from '../../support/server-process.ts';
import { LONG } from '../../support/soon.ts';
import { startWebhook } from '../../support/webhook.ts';
import { told } from './support.ts';

// Two servers are started, one after the other, the embedded database compiled each time.
vi.setConfig({ testTimeout: LONG.timeout });

const cleanup = afterTheTest();

describe.each(DRIVERS)('a server that is killed while it delivers (%s)', (driver) => {
  async function world() {
    const dir = mkdtempSync(join(tmpdir(), 'rollcall-push-'));
    cleanup(() => rmSync(dir, { recursive: true, force: true }));
    const env: Record<string, string> = {
      DATA_DIR: dir,
      LOG_LEVEL: 'warn',
      SECRET_KEY: 'the secret of this test, long enough for the check',
    };
    if (driver === 'postgres') {
      const { url, drop } = await createTestDatabase('postgres');
      cleanup(drop);
      env['DATABASE_URL'] = url;
    }
    return (): ServerProcess => {
      const server = startServerProcess(env);
      cleanup(() => server.stop());
      return server;
    };
  }

  test('delivers the rest after the next start: nothing is missing, in order, and only the cut one comes twice', async () => {
    const start = await world();
    let held: () => void = () => undefined;
    const holding = new Promise<void>((resolve) => {
      held = resolve;
    });
    let killed = false;
    // The fourth one arrived, and its sender does not live to hear that.
    const hook = await startWebhook((_, n) => (n === 4 && !killed ? () => held() : 200));
    cleanup(() => hook.close());

    const first = start();
    const url = await first.url();
    const agentId = (await data(url, '{ agent(handle: "echo") { id } }'))['agent'].id;
    const words = Array.from({ length: 12 }, (_, i) => `w${i}`);
    const answer = await fetch(`${url}a2a/${agentId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'SendMessage',
        params: {
          message: {
            messageId: crypto.randomUUID(),
            role: 'ROLE_USER',
            parts: [{ text: `stream: ${words.join(' ')}` }],
          },
          configuration: { taskPushNotificationConfig: { url: hook.url } },
        },
      }),
    });
    expect(await answer.json()).toMatchObject({ result: { task: { status: { state: 'TASK_STATE_COMPLETED' } } } });
    await holding;
    first.child.kill('SIGKILL');
    await first.exited;
    killed = true;

    const second = start();
    await second.url();
    await hook.until((it) => told(it) === 'completed');
    const all = hook.received.map((it) => ({
      what: told(it),
      ...decodeJwt<{ sequence: number }>(String(it.headers['x-rollcall-signature'])),
    }));
    const sequences = all.map((it) => it.sequence);
    const last = Math.max(...sequences);
    // 1, 2, 3, 4 (cut off), 4, 5, …
    expect(sequences).toEqual([1, 2, 3, 4, ...Array.from({ length: last - 3 }, (_, i) => i + 4)]);
    expect(all[3]).toMatchObject({ what: all[4]!.what, jti: all[4]!.jti });
    expect(new Set(all.map(({ jti }) => jti)).size).toBe(last);
    const chunks = all
      .slice(4)
      .map(({ what }) => what)
      .join(' ');
    for (const word of words.slice(3)) expect(chunks).toContain(word);
    expect(hook.mostAtOnce()).toBe(1);
  });
});
