import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Skill as SkillModel } from '../../registry/model.ts';
import type { GraphQLContext } from '../context.ts';
import { plain } from '../inputs/plain.ts';
import { AddSkillInput, RemoveSkillInput, SkillFilterInput, UpdateSkillInput } from '../inputs/skill.ts';
import { Agent } from '../types/agent.ts';
import { connectionType, toConnection } from '../types/connection.ts';
import { Skill } from '../types/skill.ts';

const SkillConnection = connectionType('Skill', () => Skill);

@Resolver(() => Skill)
export class SkillResolver {
  @Query(() => SkillConnection, { description: 'The skills of agents that you may see, by name.' })
  async skills(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('filter', () => SkillFilterInput, { nullable: true }) filter: SkillFilterInput | null,
    @Arg('first', () => Int, { nullable: true }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ) {
    return toConnection(await core.registry.listSkills(principal, { filter, first, after }), after);
  }

  @Query(() => Skill, { nullable: true, description: 'One skill; null when there is none that you may see.' })
  async skill(@Ctx() { loaders }: GraphQLContext, @Arg('id', () => ID) id: string): Promise<SkillModel | null> {
    return (await loaders.skill.load(id)) ?? null;
  }

  @Mutation(() => Skill, { description: "Adds a skill at the end of an agent's list." })
  addSkill(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => AddSkillInput) input: AddSkillInput,
  ): Promise<SkillModel> {
    const { agentId, skill, revision } = input;
    return core.registry.addSkill(principal, agentId, plain(skill) as never, revision ?? undefined);
  }

  @Mutation(() => Skill, { description: 'Changes a skill.' })
  updateSkill(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => UpdateSkillInput) input: UpdateSkillInput,
  ): Promise<SkillModel> {
    const { id, revision, ...patch } = plain(input) as unknown as UpdateSkillInput;
    return core.registry.updateSkill(principal, id, patch as never, revision ?? undefined);
  }

  @Mutation(() => Skill, { description: 'Removes a skill and answers it as it was.' })
  removeSkill(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => RemoveSkillInput) input: RemoveSkillInput,
  ): Promise<SkillModel> {
    return core.registry.removeSkill(principal, input.id, input.revision ?? undefined);
  }

  @FieldResolver(() => Agent, { nullable: true, description: 'Null when it was just deleted.' })
  async agent(@Root() skill: SkillModel, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.agent.load(skill.agentId)) ?? null;
  }
}
