import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime, Json } from '../scalars.ts';

@ObjectType({ simpleResolvers: true, description: 'A public key that must sign the agent cards of a provider.' })
export class CardKey {
  @Field(() => String, { description: 'Its name in signatures.' })
  kid!: string;

  @Field(() => Json, { description: 'The public key, as a JSON Web Key.' })
  jwk!: unknown;
}

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
