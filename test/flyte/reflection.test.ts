import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FlyteServer, startFlyteServer } from '../../src/flyte/server.ts';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionClient as V1,
} from '../../src/protocol/flyte/generated/grpc/reflection/v1/reflection.ts';
import { ServerReflectionClient as V1Alpha } from '../../src/protocol/flyte/generated/grpc/reflection/v1alpha/reflection.ts';
import { recordedLog } from './support/log.ts';
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

type Question = ServerReflectionRequest['messageRequest'];
type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

async function ask(reflection: typeof V1 | typeof V1Alpha, questions: readonly Question[]): Promise<Answer[]> {
  const client = new reflection(`127.0.0.1:${server.port}`, credentials.createInsecure());
  try {
    const call = client.serverReflectionInfo();
    for (const messageRequest of questions) call.write({ host: 'here', messageRequest });
    call.end();
    const answers: Answer[] = [];
    for await (const response of call as AsyncIterable<ServerReflectionResponse>) {
      expect(response.validHost).toBe('here');
      expect(response.originalRequest?.messageRequest).toMatchObject(questions[answers.length] ?? {});
      if (response.messageResponse !== undefined) answers.push(response.messageResponse);
    }
    return answers;
  } finally {
    client.close();
  }
}

const one = async (reflection: typeof V1 | typeof V1Alpha, question: Question): Promise<Answer> => {
  const [answer] = await ask(reflection, [question]);
  if (answer === undefined) throw new Error('no answer');
  return answer;
};

async function servicesOf(reflection: typeof V1 | typeof V1Alpha): Promise<DescService[]> {
  const listed = await one(reflection, { $case: 'listServices', value: '' });
  if (listed.$case !== 'listServicesResponse') throw new Error(`unexpected ${listed.$case}`);
  return Promise.all(
    listed.value.service.map(async ({ name }) => {
      const described = await one(reflection, { $case: 'fileContainingSymbol', value: name });
      if (described.$case !== 'fileDescriptorResponse') throw new Error(`unexpected ${described.$case}`);
      const file = described.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
      // Throws when an import is missing, or does not come after the file that imports it.
      const set = create(FileDescriptorSetSchema, { file: file.reverse() });
      const service = createFileRegistry(set).getService(name);
      if (service === undefined) throw new Error(`${name} is listed and not described`);
      return service;
    }),
  );
}

/** Calls a method that is known by its descriptor alone, with an empty request; gives the status and the first answer. */
function call(client: Client, method: DescMethod): Promise<{ code: number; answer?: unknown }> {
  const path = `/${method.parent.typeName}/${method.name}`;
  const request = Buffer.from(toBinary(method.input, create(method.input)));
  const identity = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    const stream = client.makeBidiStreamRequest(path, identity, identity, new Metadata(), {
      deadline: Date.now() + 5_000,
    });
    let answer: unknown;
    stream.on('data', (bytes: Buffer) => {
      answer ??= fromBinary(method.output, bytes);
      // A stream without an end (a health watch) has answered all the same.
      if (method.methodKind === 'server_streaming') stream.cancel();
    });
    stream.on('error', () => undefined);
    stream.on('status', ({ code }: { code: number }) => resolve({ code, answer }));
    stream.end(request);
  });
}

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
          const { code, answer } = await call(client, method);
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
