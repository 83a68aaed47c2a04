import { defineEntity, p } from '@mikro-orm/core';
import { AgentEntity } from './agent.ts';
import { moment, sortedText, textList } from './columns.ts';

/** One ability of an agent. `key` is the A2A skill id, unique in its agent; `position` keeps the card's order. */
export const SkillEntity = defineEntity({
  name: 'Skill',
  tableName: 'skill',
  indexes: [
    { name: 'skill_name_idx', expression: `create index "skill_name_idx" on "skill" ("name", "id")` },
    { name: 'skill_tags_idx', expression: `create index "skill_tags_idx" on "skill" using gin ("tags")` },
    { name: 'skill_key_idx', expression: `create index "skill_key_idx" on "skill" ("key", "id")` },
  ],
  uniques: [{ name: 'skill_agent_key_key', properties: ['agent', 'key'] }],
  properties: {
    id: p.uuid().primary(),
    agent: () => p.manyToOne(AgentEntity).fieldName('agent').mapToPk().deleteRule('cascade').index(false),
    key: sortedText(),
    position: p.integer().default(0),
    name: sortedText(),
    description: p.text().default(''),
    tags: textList(),
    examples: textList(),
    inputModes: textList(),
    outputModes: textList(),
    createdAt: moment(),
    updatedAt: moment(),
  },
});
