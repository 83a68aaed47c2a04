import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createFileRegistry, type DescField, type DescMessage, fromBinary, ScalarType } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { DescriptorIndex } from '../../../src/protocol/flyte/descriptor-index.ts';
import { DESCRIPTOR_SET } from '../../../src/protocol/flyte/generated/descriptors.ts';

const ours = createFileRegistry(fromBinary(FileDescriptorSetSchema, DESCRIPTOR_SET));

function loadPublished(): protobuf.Root {
  const require = createRequire(import.meta.url);
  const protos = join(dirname(require.resolve('@flyteorg/flyteidl/package.json')), 'protos');
  const root = new protobuf.Root();
  // What the package imports and does not contain (annotations of the HTTP gateway) is left out.
  root.resolvePath = (_origin, target) => {
    const path = target.startsWith('/') ? target : join(protos, target);
    return existsSync(path) ? path : null;
  };
  root.loadSync(['flyteidl/service/agent.proto'], { keepCase: true });
  root.resolveAll();
  return root;
}
const published = loadPublished();

const protobufjsType = (field: DescField): string => {
  const scalar = (type: ScalarType): string => ScalarType[type].toLowerCase();
  const element = (kind: string, of: { scalar?: unknown; message?: unknown; enum?: unknown }): string =>
    kind === 'scalar' ? scalar(of.scalar as ScalarType) : ((of.message ?? of.enum) as { typeName: string }).typeName;
  if (field.fieldKind === 'map') return `map<${scalar(field.mapKey)},${element(field.mapKind, field)}>`;
  if (field.fieldKind === 'list') return `repeated ${element(field.listKind, field)}`;
  return element(field.fieldKind, field);
};

const publishedType = (field: protobuf.Field): string => {
  const type = field.resolvedType === null ? field.type : field.resolvedType.fullName.slice(1);
  if (field instanceof protobuf.MapField) return `map<${field.keyType},${type}>`;
  return field.repeated ? `repeated ${type}` : type;
};

const fieldTable = (message: DescMessage): Record<string, string> =>
  Object.fromEntries(
    message.fields.map((field) => [field.name, `${field.number} ${protobufjsType(field)} ${field.oneof?.name ?? ''}`]),
  );

const publishedTable = (type: protobuf.Type): Record<string, string> =>
  Object.fromEntries(
    type.fieldsArray.map((field) => [field.name, `${field.id} ${publishedType(field)} ${field.partOf?.name ?? ''}`]),
  );

/** Fields that we leave to the unknown ones. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  'flyteidl.core.Variable': ['artifact_partial_id', 'artifact_tag'],
};

const flyte1 = [...ours]
  .filter((desc) => desc.kind !== 'extension')
  .filter((desc) => desc.typeName.startsWith('flyteidl.'));

describe('our definitions against those that Flyte publishes', () => {
  it('cover every message that the agent services carry', () => {
    expect(flyte1.filter((desc) => desc.kind === 'message').length).toBeGreaterThan(70);
  });

  for (const desc of flyte1) {
    if (desc.kind === 'message') {
      it(`${desc.typeName}: every field has the same number, type and oneof, and none is missing`, () => {
        const expected = publishedTable(published.lookupType(desc.typeName));
        for (const name of LEFT_OUT[desc.typeName] ?? []) delete expected[name];
        expect(fieldTable(desc)).toEqual(expected);
      });
    } else if (desc.kind === 'enum') {
      it(`${desc.typeName}: every value has the same number`, () => {
        const values = Object.fromEntries(desc.values.map((value) => [value.name, value.number]));
        expect(values).toEqual(published.lookupEnum(desc.typeName).values);
      });
    } else {
      it(`${desc.typeName}: every method has the same types and streams the same way`, () => {
        const methods = Object.fromEntries(
          desc.methods.map((method) => [
            method.name,
            `${method.input.typeName} ${method.output.typeName} ${method.methodKind}`,
          ]),
        );
        const expected = published.lookupService(desc.typeName).methodsArray.map((method) => {
          const kind = `${method.requestStream ? 'client' : ''}${method.responseStream ? 'server' : ''}`;
          const words: Record<string, string> = {
            '': 'unary',
            server: 'server_streaming',
            client: 'client_streaming',
            clientserver: 'bidi_streaming',
          };
          const type = (of: protobuf.Type | null): string => of?.fullName.slice(1) ?? '';
          return [
            method.name,
            `${type(method.resolvedRequestType)} ${type(method.resolvedResponseType)} ${words[kind]}`,
          ];
        });
        expect(methods).toEqual(Object.fromEntries(expected));
      });
    }
  }

  it('number the second generation as its table says', () => {
    const numbers = (name: string): Record<string, number> =>
      Object.fromEntries((ours.getMessage(`flyteidl2.connector.${name}`)?.fields ?? []).map((f) => [f.name, f.number]));
    expect(numbers('Connector')).toEqual({ name: 1, supported_task_categories: 4 });
    expect(numbers('TaskCategory')).toEqual({ name: 1, version: 2 });
    expect(numbers('GetConnectorRequest')).toEqual({ name: 1 });
    expect(numbers('GetConnectorResponse')).toEqual({ connector: 1 });
    expect(numbers('ListConnectorsResponse')).toEqual({ connectors: 1 });
  });
});

describe('DescriptorIndex', () => {
  const index = new DescriptorIndex(DESCRIPTOR_SET);

  it('gives the file asked for first, then each of its imports once', () => {
    const files = index.file('flyteidl/service/agent.proto');
    const only = index.file('flyteidl/core/identifier.proto');
    expect(only).toHaveLength(1);
    expect(files?.length).toBeGreaterThan(10);
    expect(new Set(files).size).toBe(files?.length);
    expect(files?.[0]?.includes('flyteidl/service/agent.proto')).toBe(true);
  });

  it('finds messages, nested types, fields, oneofs, enums, their values, services and methods', () => {
    for (const symbol of [
      'flyteidl.admin.Agent',
      '.flyteidl.admin.Agent',
      'flyteidl.admin.Agent.is_sync',
      'flyteidl.admin.ExecuteTaskSyncRequest.part',
      'flyteidl.core.TaskExecution.Phase',
      'flyteidl.core.TaskExecution.RETRYABLE_FAILED',
      'flyteidl.service.SyncAgentService',
      'flyteidl.service.SyncAgentService.ExecuteTaskSync',
      'google.protobuf.Struct.FieldsEntry',
    ]) {
      expect(index.fileOf(symbol), symbol).toBeDefined();
    }
  });

  it('knows nothing of other names', () => {
    expect(index.file('flyteidl/service/admin.proto')).toBeUndefined();
    expect(index.fileOf('flyteidl.service.AdminService')).toBeUndefined();
    expect(index.hasMessage('flyteidl.core.TaskExecution.Phase')).toBe(false);
  });

  it('refuses a set that lacks an import', () => {
    const files = index.file('flyteidl/admin/agent.proto')?.slice(0, 1) ?? [];
    // A FileDescriptorSet is field 1, length-delimited, once per file.
    const parts = files.flatMap((file) => [Buffer.from([0x0a, (file.length & 0x7f) | 0x80, file.length >> 7]), file]);
    expect(() => new DescriptorIndex(Buffer.concat(parts))).toThrow(/lacks flyteidl\/core\/execution\.proto/);
  });
});
