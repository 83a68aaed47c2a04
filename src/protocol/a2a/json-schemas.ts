import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

/** A JSON Schema of draft 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Protobuf does not say which members are required; specification 1.0 §4 does. */
const REQUIRED: { readonly [message: string]: readonly string[] } = {
  Message: ['messageId', 'role', 'parts'],
  Artifact: ['artifactId', 'parts'],
  Task: ['id', 'status'],
  TaskStatus: ['state'],
  TaskStatusUpdateEvent: ['taskId', 'contextId', 'status'],
  TaskArtifactUpdateEvent: ['taskId', 'contextId', 'artifact'],
  TaskPushNotificationConfig: ['url'],
  AuthenticationInfo: ['scheme'],
  SendMessageRequest: ['message'],
  ListTasksResponse: ['tasks', 'nextPageToken', 'pageSize', 'totalSize'],
  AgentCard: [
    'name',
    'description',
    'supportedInterfaces',
    'version',
    'capabilities',
    'defaultInputModes',
    'defaultOutputModes',
    'skills',
  ],
  AgentInterface: ['url', 'protocolBinding', 'protocolVersion'],
  AgentProvider: ['url', 'organization'],
  AgentExtension: ['uri'],
  AgentSkill: ['id', 'name', 'description', 'tags'],
};
/** Lists that have at least one item. */
const NOT_EMPTY: ReadonlySet<string> = new Set(['Message.parts', 'Artifact.parts', 'AgentCard.supportedInterfaces']);

/** Messages whose JSON is not an object of their members. */
const WELL_KNOWN: { readonly [type: string]: JsonSchema } = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Struct': { type: 'object' },
  'google.protobuf.Value': {},
  'google.protobuf.Empty': { type: 'null' },
};

const SCALARS: { readonly [S in ScalarType]?: JsonSchema } = {
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.INT32]: { type: 'integer' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
};

/** The JSON Schemas of protobuf messages in ProtoJSON, collected as they are referred to. */
export class MessageSchemas {
  readonly schemas: Record<string, JsonSchema> = {};

  /** A reference to the schema of a message. */
  of(message: DescMessage): JsonSchema {
    const known = WELL_KNOWN[message.typeName];
    if (known !== undefined) return known;
    const { name } = message;
    if (!(name in this.schemas)) {
      this.schemas[name] = {};
      this.schemas[name] = this.#object(message);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  /** The schema of a member. */
  field(field: DescField): JsonSchema {
    switch (field.fieldKind) {
      case 'list': {
        const items = field.listKind === 'message' ? this.of(field.message) : scalar(field);
        const name = `${field.parent.name}.${field.jsonName}`;
        return { type: 'array', items, ...(NOT_EMPTY.has(name) ? { minItems: 1 } : {}) };
      }
      case 'map': {
        const values = field.mapKind === 'message' ? this.of(field.message) : scalar(field);
        return { type: 'object', additionalProperties: values };
      }
      case 'message':
        return this.of(field.message);
      default:
        return scalar(field);
    }
  }

  #object(message: DescMessage): JsonSchema {
    const required = REQUIRED[message.name];
    const choices = message.oneofs.map(({ fields }) => ({
      oneOf: fields.map(({ jsonName }) => ({ required: [jsonName] })),
    }));
    return {
      type: 'object',
      properties: Object.fromEntries(message.fields.map((field) => [field.jsonName, this.field(field)])),
      ...(required === undefined ? {} : { required }),
      ...(choices.length === 0 ? {} : choices.length === 1 ? choices[0] : { allOf: choices }),
    };
  }
}

function scalar(field: DescField): JsonSchema {
  if (field.enum !== undefined) return { type: 'string', enum: field.enum.values.map(({ name }) => name) };
  const schema = field.scalar === undefined ? undefined : SCALARS[field.scalar];
  if (schema === undefined) throw new Error(`${field.toString()} has a type that is not described yet`);
  return schema;
}
