import type { App } from '../../../src/app.ts';
import { startTestApp } from '../../support/app.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { JWT_SETTINGS } from '../../support/tokens.ts';
import { grpcClient, socketClient } from '../doors.ts';

/** What the tests of limits share. */

export const ME = '11111111-1111-4111-8111-111111111111';
export const OTHER = '22222222-2222-4222-8222-222222222222';
export const HANDLE = '{ agent(handle: "echo") { id } }';
export const SEND = 'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id state } } }';

export const headers = (token: string) => ({ authorization: `Bearer ${token}`, 'a2a-version': '1.0' });

/** For the top of a file: servers with tokens, and clients of theirs, which end with the test. */
export function limitedServers() {
  const cleanup = afterTheTest();
  return {
    cleanup,
    async start(settings: Record<string, string>): Promise<App> {
      const app = await startTestApp({ ...JWT_SETTINGS, ...settings });
      cleanup(() => app.close());
      return app;
    },
    grpcOf(app: App) {
      const client = grpcClient(app);
      cleanup(() => client.close());
      return client;
    },
    socketOf(app: App, token?: string) {
      const socket = socketClient(app, token);
      cleanup(() => socket.client.dispose());
      return socket;
    },
  };
}
