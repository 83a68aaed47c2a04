import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isUuid } from '../../database/ids.ts';
import { CARD_LIMITS, type CardReading, readCard } from '../../protocol/a2a/card/index.ts';
import { storedType } from '../display-type.ts';
import { deploymentSchema } from '../flyte/deployment-input.ts';
import { LIMITS } from '../input/limits.ts';
import { agentSchema, handleSchema, httpUrl, providerSchema, skillSchema, uniqueSkillKeys } from '../input/schemas.ts';
import { AUTHENTICATION_TYPES } from '../words.ts';

/** First line of an export, with the time and remarks besides. Another version is a format that old readers must refuse. */
export const TRANSFER_FORMAT = { format: 'rollcall-registry', version: 1 } as const;

const uuid = z
  .string()
  .refine(isUuid, 'must be a UUID')
  .transform((id) => id.toLowerCase());
const moment = z.iso
  .datetime({ offset: true, error: 'must be a date and time such as "2026-01-31T10:20:30.000Z"' })
  .transform((text) => new Date(text));

const providerReference = z.strictObject({ id: uuid.optional(), ...providerSchema.shape });

/** A provider in an export or a seed file. What may be left out is made as for a new provider of the loading caller. */
export const providerRecordSchema = z.strictObject({
  kind: z.literal('provider'),
  ...providerReference.shape,
  owner: uuid.optional(),
  createdAt: moment.optional(),
  updatedAt: moment.optional(),
});

const skillRecordSchema = z.strictObject({
  id: uuid.optional(),
  ...skillSchema.shape,
  createdAt: moment.optional(),
  updatedAt: moment.optional(),
});

const deploymentsSchema = z
  .array(z.strictObject({ id: uuid.optional(), ...deploymentSchema.shape, createdAt: moment.optional() }))
  .max(LIMITS.deployments)
  .superRefine((deployments, context) => {
    const seen = new Set<string>();
    deployments.forEach(({ endpoint, generation }, i) => {
      const key = `${generation} ${endpoint}`;
      if (seen.has(key))
        context.addIssue({ code: 'custom', path: [i, 'endpoint'], message: `${endpoint} is listed twice` });
      seen.add(key);
    });
  });

/** A source card as loaded: what its bytes say is read from them, so that nothing can contradict them. */
export interface LoadedCard {
  readonly url: string;
  readonly body: Buffer;
  readonly digest: string;
  readonly etag: string | null;
  readonly fetchedAt: Date | undefined;
  readonly era: string;
  readonly signatures: readonly unknown[];
}

const cardRecordSchema = z
  .strictObject({
    url: httpUrl,
    body: z
      .base64('must be base64')
      .max(Math.ceil(CARD_LIMITS.bytes / 3) * 4)
      .transform((text) => Buffer.from(text, 'base64')),
    digest: z.string(),
    etag: z.string().max(210).nullable().default(null),
    fetchedAt: moment.optional(),
  })
  .transform((card, context): LoadedCard => {
    if (createHash('sha256').update(card.body).digest('hex') !== card.digest)
      context.addIssue({ code: 'custom', path: ['digest'], message: 'is not the SHA-256 of body in hexadecimal' });
    const { era, model, problems }: CardReading = readCard(card.body);
    const wrong = model === undefined ? problems.find((p) => p.severity === 'error') : undefined;
    if (model === undefined)
      context.addIssue({
        code: 'custom',
        path: ['body'],
        message: `is not a usable agent card: ${wrong === undefined ? 'it is not valid' : `${wrong.path}: ${wrong.message}`}`,
      });
    return { ...card, fetchedAt: card.fetchedAt, era, signatures: model?.signatures ?? [] };
  });

const { authentication: _credentials, providerId: _reference, ...agentShape } = agentSchema.shape;

/**
 * An agent in an export or a seed file. Its handle must be there: a second load of the same file has to find it. Of the
 * authentication there is the type alone; a file with credentials is refused as one with an unknown field.
 */
export const agentRecordSchema = z.strictObject({
  kind: z.literal('agent'),
  id: uuid.optional(),
  ...agentShape,
  handle: handleSchema,
  provider: providerReference.nullable().default(null),
  authenticationType: z.enum(AUTHENTICATION_TYPES).default('none'),
  skills: z.array(skillRecordSchema).max(LIMITS.skills).superRefine(uniqueSkillKeys).default([]),
  /** Left out: those that are there stay. */
  deployments: deploymentsSchema.optional(),
  card: cardRecordSchema.nullable().default(null),
  owner: uuid.optional(),
  createdAt: moment.optional(),
  updatedAt: moment.optional(),
});

export type ProviderRecord = z.output<typeof providerRecordSchema>;
export type AgentRecord = z.output<typeof agentRecordSchema>;
export type TransferRecord = ProviderRecord | AgentRecord;
export type ProviderReference = z.output<typeof providerReference>;

/** Each kind of record and its schema; the paths of errors begin with the kind. */
export const RECORD_SCHEMAS = { provider: providerRecordSchema, agent: agentRecordSchema } as const;

/** The columns of an agent that a record sets, new or not. */
export function columnsOf(record: AgentRecord, provider: string | null) {
  const {
    kind: _kind,
    id: _id,
    owner: _owner,
    createdAt: _created,
    updatedAt: _updated,
    skills: _skills,
    taskCategories: _categories,
    deployments: _deployments,
    card: _card,
    type,
    ...fields
  } = record;
  return { ...fields, type: storedType(type), provider };
}
