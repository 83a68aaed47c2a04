import type { StartOptions } from '../../../src/app.ts';
import { data, startTestApp } from '../../support/app.ts';
import type { Cleanup } from '../../support/cleanup.ts';
import { TestDeployment } from './deployment.ts';
import { connectPublished } from './published.ts';

/** A whole server, a caller of its graph, and Flyte's published classes at its Flyte port. */
export async function startRegistered(
  cleanup: Cleanup,
  settings: Record<string, string> = {},
  more: StartOptions = {},
  token?: string,
) {
  const app = await startTestApp(settings, more);
  cleanup(() => app.close());
  const { url, flyte } = app.addresses;
  const port = Number(flyte?.split(':').at(-1));
  const published = connectPublished(port);
  cleanup(() => published.close());

  const mutate = async (field: string, type: string, input: object, shown = 'id'): Promise<any> =>
    (await data(url, `mutation($input: ${type}!) { ${field}(input: $input) { ${shown} } }`, { input }, token))[field];

  /** Registers a Flyte agent; its Flyte name is what it is asked for by. */
  const register = async (flyteName: string, more: Record<string, unknown> = {}): Promise<string> => {
    const input = { name: flyteName, executionType: 'FLYTE', flyteName, ...more };
    return (await mutate('registerAgent', 'RegisterAgentInput', input)).id;
  };
  const deploy = async (agentId: string, at: TestDeployment, more: Record<string, unknown> = {}): Promise<string> => {
    const input = { agentId, endpoint: `127.0.0.1:${at.port}`, tls: false, ...more };
    return (await mutate('registerDeployment', 'RegisterDeploymentInput', input)).id;
  };
  const redeploy = (id: string, patch: Record<string, unknown>): Promise<unknown> =>
    mutate('updateDeployment', 'UpdateDeploymentInput', { id, ...patch });
  /** The names that ListAgents answers, in its order. */
  const listed = async (): Promise<string[]> =>
    ((await published.metadataService.listAgents({})).agents ?? []).map(({ name }) => name ?? '');

  return {
    app,
    url,
    port,
    published,
    asyncService: published.asyncService,
    mutate,
    register,
    deploy,
    redeploy,
    listed,
    query: (text: string, variables: object = {}): Promise<any> => data(url, text, variables, token),
  };
}

export type Registered = Awaited<ReturnType<typeof startRegistered>>;

/** A deployment that serves Flyte's tasks until the test has ended. */
export async function servingDeployment(id: string, cleanup: Cleanup): Promise<TestDeployment> {
  const started = await new TestDeployment(id).start();
  cleanup(() => started.stop());
  return started;
}
