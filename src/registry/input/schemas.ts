import { z } from 'zod';
import { AGENT_STATUSES, EXECUTION_TYPES, VISIBILITIES } from '../words.ts';
import { authenticationSchema } from './authentication.ts';
import { checkJson } from './json.ts';
import { LIMITS } from './limits.ts';
import { endpoint, httpUrl, providerUrl } from './url.ts';

/** Control characters make names that look alike differ, and PostgreSQL refuses NUL outright. */
const NO_CONTROL = /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/;
const UNPAIRED = 'contains an unpaired surrogate';

const text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(NO_CONTROL, 'contains control characters')
    .refine((s) => s.isWellFormed(), UNPAIRED);
const line = (max: number) =>
  text(max)
    .regex(/^[^\r\n]*$/, 'must be one line')
    .trim()
    .min(1, 'must not be empty');
const list = (item: z.ZodType<string>, max: number) =>
  z
    .array(item)
    .max(max)
    .transform((items) => [...new Set(items)]);

export { httpUrl };

const mode = line(LIMITS.mode);
const modes = list(mode, LIMITS.modes);

/** `handle`: what people type in URLs and commands. */
export const handleSchema = z
  .string()
  .min(1)
  .max(LIMITS.handle)
  .regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
    'must be lower-case letters and digits, with single dots, dashes or underscores between',
  );

export const providerSchema = z.strictObject({
  name: line(LIMITS.name),
  url: providerUrl.nullish().transform((url) => url ?? null),
});

const skillFields = {
  key: line(LIMITS.skillKey),
  name: line(LIMITS.name),
  description: text(LIMITS.description).default(''),
  tags: list(line(LIMITS.tag), LIMITS.tags).default([]),
  examples: z.array(text(LIMITS.example)).max(LIMITS.examples).default([]),
  inputModes: modes.default([]),
  outputModes: modes.default([]),
};

export const skillSchema = z.strictObject(skillFields);

const optional = <T extends z.ZodType>(schema: T) => schema.optional();

/** A change of a skill: what is absent stays. */
export const skillPatchSchema = z.strictObject({
  key: optional(skillFields.key),
  name: optional(skillFields.name),
  description: optional(text(LIMITS.description)),
  tags: optional(list(line(LIMITS.tag), LIMITS.tags)),
  examples: optional(z.array(text(LIMITS.example)).max(LIMITS.examples)),
  inputModes: optional(modes),
  outputModes: optional(modes),
});

/** A check of a list of skills: no key twice. */
export function uniqueSkillKeys(skills: readonly { readonly key: string }[], context: z.RefinementCtx): void {
  const seen = new Map<string, number>();
  skills.forEach((skill, i) => {
    const first = seen.get(skill.key);
    if (first === undefined) seen.set(skill.key, i);
    else
      context.addIssue({
        code: 'custom',
        path: [i, 'key'],
        message: `"${skill.key}" is also the key of skill ${first}; keys are unique in their agent`,
      });
  });
}

const skillsSchema = z.array(skillSchema).max(LIMITS.skills).superRefine(uniqueSkillKeys);

const interfaceSchema = z.strictObject({
  url: endpoint,
  binding: line(200),
  protocolVersion: line(50),
  dialect: z.enum(['early', '0.3', '1.0']),
  tenant: text(200).optional(),
});

const extensionSchema = z.looseObject({ uri: line(LIMITS.url) }).superRefine(checkJson);

export const taskCategorySchema = z.strictObject({
  name: line(LIMITS.taskCategoryName),
  version: z.int32().min(0).default(0),
});

export const taskCategoriesSchema = z
  .array(taskCategorySchema)
  .max(LIMITS.taskCategories)
  .superRefine((categories, context) => {
    const seen = new Set<string>();
    categories.forEach((c, i) => {
      const key = `${c.version}\0${c.name}`;
      if (seen.has(key))
        context.addIssue({ code: 'custom', path: [i], message: `${c.name} version ${c.version} is listed twice` });
      seen.add(key);
    });
  });

const agentFields = {
  handle: handleSchema,
  name: line(LIMITS.name),
  description: text(LIMITS.description),
  version: z.union([z.literal(''), line(LIMITS.version)]),
  type: z
    .string()
    .min(1)
    .max(LIMITS.type)
    .regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be a lower-case word such as "text" or "multimodal"'),
  executionType: z.enum(EXECUTION_TYPES),
  status: z.enum(AGENT_STATUSES),
  inputModes: modes,
  outputModes: modes,
  capabilities: list(line(LIMITS.capability), LIMITS.capabilities),
  url: httpUrl.nullable(),
  interfaces: z.array(interfaceSchema).max(LIMITS.interfaces),
  documentationUrl: httpUrl.nullable(),
  iconUrl: httpUrl.nullable(),
  extensions: z.array(extensionSchema).max(LIMITS.extensions),
  authentication: authenticationSchema,
  streaming: z.boolean(),
  pushNotifications: z.boolean(),
  stateTransitionHistory: z.boolean(),
  retrySafe: z.boolean(),
  flyteName: line(LIMITS.name).nullable(),
  isSync: z.boolean(),
  visibility: z.enum(VISIBILITIES),
  providerId: z.uuid().nullable(),
  provider: providerSchema.nullable(),
};

const oneProvider = (value: { providerId?: unknown; provider?: unknown }): boolean =>
  value.providerId == null || value.provider == null;
const ONE_PROVIDER = { path: ['provider'], message: 'give either providerId or provider, not both' };

/** A new agent. */
export const agentSchema = z
  .strictObject({
    ...agentFields,
    handle: optional(agentFields.handle),
    description: agentFields.description.default(''),
    version: agentFields.version.default(''),
    type: agentFields.type.default('text'),
    status: agentFields.status.default('active'),
    inputModes: modes.default(['text/plain']),
    outputModes: modes.default(['text/plain']),
    capabilities: agentFields.capabilities.default([]),
    url: agentFields.url.default(null),
    interfaces: agentFields.interfaces.default([]),
    documentationUrl: agentFields.documentationUrl.default(null),
    iconUrl: agentFields.iconUrl.default(null),
    extensions: agentFields.extensions.default([]),
    authentication: agentFields.authentication.default({ type: 'none' }),
    streaming: z.boolean().default(false),
    pushNotifications: z.boolean().default(false),
    stateTransitionHistory: z.boolean().default(false),
    retrySafe: z.boolean().default(false),
    flyteName: agentFields.flyteName.default(null),
    isSync: z.boolean().default(false),
    visibility: agentFields.visibility.default('internal'),
    providerId: agentFields.providerId.default(null),
    provider: agentFields.provider.default(null),
    skills: skillsSchema.default([]),
    taskCategories: taskCategoriesSchema.default([]),
  })
  .refine(oneProvider, ONE_PROVIDER);

/** A change of an agent: what is absent stays, null clears what may be empty. */
export const agentPatchSchema = z.strictObject(agentFields).partial().refine(oneProvider, ONE_PROVIDER);

/** A change of a provider. */
export const providerPatchSchema = z.strictObject({ name: line(LIMITS.name), url: providerUrl.nullable() }).partial();

/** What a caller gives to register an agent; everything but name and executionType may be left out. */
export type AgentInput = z.input<typeof agentSchema>;
export type AgentPatch = z.input<typeof agentPatchSchema>;
export type SkillInput = z.input<typeof skillSchema>;
export type SkillPatch = z.input<typeof skillPatchSchema>;
export type ProviderInput = z.input<typeof providerSchema>;
export type ProviderPatch = z.input<typeof providerPatchSchema>;
export type TaskCategoryInput = z.input<typeof taskCategorySchema>;
/** A checked {@link AgentInput}: trimmed, defaults filled in. */
export type CheckedAgent = z.output<typeof agentSchema>;
export type CheckedSkill = z.output<typeof skillSchema>;
