import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FlyteServer, startFlyteServer } from '../../src/flyte/server.ts';
import { ServerReflectionClient as V1 } from '../../src/protocol/flyte/generated/grpc/reflection/v1/reflection.ts';
import { ServerReflectionClient as V1Alpha } from '../../src/protocol/flyte/generated/grpc/reflection/v1alpha/reflection.ts';
import { recordedLog } from './support/log.ts';
import {
  askReflection,
  callReflected,
  type Question,
  type Reflection,
  reflectedServices,
} from './support/reflected.ts';
import { ROWS, RowSource } from './support/rows.ts';

const run = promisify(execFile);
const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url));
const bufRuns = await run(buf, ['--version']).then(
  () => true,
  (error: Error) => {
    process.stderr.write(`skipped: reflection is not asked by buf, which cannot run here (${error.message})\n`);
    return false;
  },
);

let server: FlyteServer;
beforeAll(async () => {
  server = await startFlyteServer({ source: new RowSource(ROWS), host: '127.0.0.1', port: 0, log: recordedLog() });
});
afterAll(() => server.close(0));

const ask = (reflection: Reflection, questions: readonly Question[]) =>
  askReflection(server.port, questions, reflection);
const servicesOf = (reflection: Reflection) => reflectedServices(server.port, reflection);

describe.each([
  ['grpc.reflection.v1', V1],
  ['grpc.reflection.v1alpha', V1Alpha],
] as const)('%s', (_, reflection) => {
  it('lists every service, and describes each one fully', async () => {
    const services = await servicesOf(reflection);
    expect(services.map((service) => service.typeName)).toEqual(
      expect.arrayContaining([
        'flyteidl.service.AgentMetadataService',
        'flyteidl2.connector.ConnectorMetadataService',
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
      ]),
    );
    for (const service of services) expect(service.methods.length).toBeGreaterThan(0);
  });

  it('lets a client without definitions call every method', async () => {
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
    try {
      for (const service of await servicesOf(reflection)) {
        for (const method of service.methods) {
          const { code, answer } = await callReflected(client, method);
          expect(code, method.name).not.toBe(status.UNIMPLEMENTED);
          expect(code, method.name).not.toBe(status.INTERNAL);
          if (method.name === 'ListAgents') {
            expect(answer).toMatchObject({ agents: [{ name: 'Bigquery Agent' }, {}, {}, { isSync: true }] });
          }
        }
      }
    } finally {
      client.close();
    }
  });

  it('answers what it does not know with an error inside the stream, and goes on', async () => {
    const answers = await ask(reflection, [
      { $case: 'fileContainingSymbol', value: 'no.such.Symbol' },
      { $case: 'fileByFilename', value: 'no/such.proto' },
      { $case: 'fileContainingExtension', value: { containingType: 'flyteidl.admin.Agent', extensionNumber: 100 } },
      { $case: 'allExtensionNumbersOfType', value: 'no.such.Message' },
      { $case: 'allExtensionNumbersOfType', value: 'flyteidl.admin.Agent' },
      { $case: 'fileByFilename', value: 'flyteidl/core/tasks.proto' },
    ]);
    expect(answers.map((answer) => answer.$case)).toEqual([
      'errorResponse',
      'errorResponse',
      'errorResponse',
      'errorResponse',
      'allExtensionNumbersResponse',
      'fileDescriptorResponse',
    ]);
    expect(answers[0]).toMatchObject({ value: { errorCode: status.NOT_FOUND } });
  });
});

describe.skipIf(!bufRuns)('buf curl, which knows the services through reflection alone', () => {
  const curl = async (...args: string[]): Promise<string> =>
    (await run(buf, ['curl', '--http2-prior-knowledge', '--protocol', 'grpc', ...args], { timeout: 15_000 })).stdout;

  it('lists the methods', async () => {
    const out = await curl('--list-methods', `http://127.0.0.1:${server.port}`);
    expect(out).toContain('flyteidl.service.AgentMetadataService/ListAgents');
  });

  it('calls ListAgents', async () => {
    const out = await curl(`http://127.0.0.1:${server.port}/flyteidl.service.AgentMetadataService/ListAgents`);
    const { agents } = JSON.parse(out) as { agents: { name: string }[] };
    expect(agents.map((agent) => agent.name)).toEqual(['Bigquery Agent', 'Spark Agent', 'Boto Agent', 'ChatGPT Agent']);
  });
});
