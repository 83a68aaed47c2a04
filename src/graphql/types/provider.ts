import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.ts';

@Directive('@key(fields: "id")')
@ObjectType({ simpleResolvers: true, description: 'The organisation behind agents.' })
export class Provider {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true })
  url!: string | null;

  @Field(() => ID, { description: 'The subject that may change it.' })
  owner!: string;

  @Field(() => Int, {
    description: "Rises by one with every change: give it back with a change to be told of anyone else's.",
  })
  revision!: number;

  @Field(() => DateTime)
  createdAt!: Date;

  @Field(() => DateTime)
  updatedAt!: Date;
}
