import { AgentEntity } from './agent.ts';
import { AgentChangeEntity, AgentUsageEntity, SourceCardEntity, TaskCategoryEntity } from './agent-records.ts';
import { ProviderEntity } from './provider.ts';
import { SkillEntity } from './skill.ts';
import { TaskEntity, TaskEventEntity, TaskKeyEntity } from './task.ts';

export {
  AgentChangeEntity,
  AgentEntity,
  AgentUsageEntity,
  ProviderEntity,
  SkillEntity,
  SourceCardEntity,
  TaskCategoryEntity,
  TaskEntity,
  TaskEventEntity,
  TaskKeyEntity,
};

/** Every entity, in the order in which the tables depend on one another. */
export const ENTITIES = [
  ProviderEntity,
  AgentEntity,
  SkillEntity,
  AgentChangeEntity,
  AgentUsageEntity,
  SourceCardEntity,
  TaskCategoryEntity,
  TaskEntity,
  TaskEventEntity,
  TaskKeyEntity,
];
