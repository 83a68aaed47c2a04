import { AgentEntity } from './agent.ts';
import {
  AgentChangeEntity,
  AgentLatencyEntity,
  AgentUsageEntity,
  SourceCardEntity,
  TaskCategoryEntity,
} from './agent-records.ts';
import { AuditEntryEntity } from './audit.ts';
import { FlyteDeploymentEntity } from './flyte-deployment.ts';
import { ProviderEntity } from './provider.ts';
import { ProviderCardKeyEntity } from './provider-card-key.ts';
import { PushConfigEntity, PushDeliveryEntity, SigningKeyEntity } from './push.ts';
import { SkillEntity } from './skill.ts';
import { TaskEntity, TaskEventEntity, TaskKeyEntity } from './task.ts';
import { TaskJobEntity } from './task-job.ts';

export {
  AgentChangeEntity,
  AgentEntity,
  AgentLatencyEntity,
  AgentUsageEntity,
  AuditEntryEntity,
  FlyteDeploymentEntity,
  ProviderCardKeyEntity,
  ProviderEntity,
  PushConfigEntity,
  PushDeliveryEntity,
  SigningKeyEntity,
  SkillEntity,
  SourceCardEntity,
  TaskCategoryEntity,
  TaskEntity,
  TaskEventEntity,
  TaskJobEntity,
  TaskKeyEntity,
};

/** Every entity, in the order in which the tables depend on one another. */
export const ENTITIES = [
  ProviderEntity,
  ProviderCardKeyEntity,
  AgentEntity,
  SkillEntity,
  AgentChangeEntity,
  AgentUsageEntity,
  AgentLatencyEntity,
  SourceCardEntity,
  TaskCategoryEntity,
  FlyteDeploymentEntity,
  TaskEntity,
  TaskEventEntity,
  TaskKeyEntity,
  TaskJobEntity,
  PushConfigEntity,
  PushDeliveryEntity,
  SigningKeyEntity,
  AuditEntryEntity,
];
