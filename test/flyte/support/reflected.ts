import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type Client, credentials, Metadata } from '@grpc/grpc-js';
import { expect } from 'vitest';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionClient as V1,
} from '../../../src/protocol/flyte/generated/grpc/reflection/v1/reflection.ts';
import type { ServerReflectionClient as V1Alpha } from '../../../src/protocol/flyte/generated/grpc/reflection/v1alpha/reflection.ts';

export type Reflection = typeof V1 | typeof V1Alpha;
export type Question = ServerReflectionRequest['messageRequest'];
export type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

/** Asks a server's reflection these questions, over one stream. */
export async function askReflection(
  port: number,
  questions: readonly Question[],
  reflection: Reflection = V1,
): Promise<Answer[]> {
  const client = new reflection(`127.0.0.1:${port}`, credentials.createInsecure());
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

async function one(port: number, question: Question, reflection?: Reflection): Promise<Answer> {
  const [answer] = await askReflection(port, [question], reflection);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

/** Every service of a server, as its descriptors say, for a client that has no definitions. */
export async function reflectedServices(port: number, reflection?: Reflection): Promise<DescService[]> {
  const listed = await one(port, { $case: 'listServices', value: '' }, reflection);
  if (listed.$case !== 'listServicesResponse') throw new Error(`unexpected ${listed.$case}`);
  return Promise.all(
    listed.value.service.map(async ({ name }) => {
      const described = await one(port, { $case: 'fileContainingSymbol', value: name }, reflection);
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

/** How a call ended. */
export interface Called {
  readonly code: number;
  readonly details: string;
  readonly answer?: any;
}

/** Calls a method that is known by its descriptor alone; gives the status and the first answer. */
export function callReflected(client: Client, method: DescMethod, request: object = {}): Promise<Called> {
  const path = `/${method.parent.typeName}/${method.name}`;
  const bytes = Buffer.from(toBinary(method.input, create(method.input, request as Record<string, unknown>)));
  const identity = (each: Buffer): Buffer => each;
  return new Promise((resolve) => {
    const stream = client.makeBidiStreamRequest(path, identity, identity, new Metadata(), {
      deadline: Date.now() + 5_000,
    });
    let answer: unknown;
    stream.on('data', (each: Buffer) => {
      answer ??= fromBinary(method.output, each);
      // A stream without an end (a health watch) has answered all the same.
      if (method.methodKind === 'server_streaming') stream.cancel();
    });
    stream.on('error', () => undefined);
    stream.on('status', ({ code, details }: { code: number; details: string }) => resolve({ code, details, answer }));
    stream.end(bytes);
  });
}
