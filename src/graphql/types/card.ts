import { Field, ID, Int, ObjectType } from 'type-graphql';
import { CARD_VERIFICATIONS } from '../../registry/cards/trust/verify.ts';
import { enumOf } from '../enums.ts';
import { DateTime, Json } from '../scalars.ts';
import { Agent } from './agent.ts';

export const CardProblemSeverityEnum = enumOf(
  'CardProblemSeverity',
  'An error makes a card unusable; a warning says what was assumed.',
  ['error', 'warning'] as const,
);

@ObjectType({ simpleResolvers: true, description: 'Something wrong with an agent card.' })
export class CardProblem {
  @Field(() => String, { description: 'JSONPath in the card: $.skills[0].id' })
  path!: string;

  @Field(() => CardProblemSeverityEnum)
  severity!: string;

  @Field(() => String)
  message!: string;
}

@ObjectType({ simpleResolvers: true, description: 'One difference between two states of an agent card.' })
export class CardChange {
  @Field(() => String, { description: 'Path in the card; skills are named by their id.' })
  path!: string;

  @Field(() => String, { description: 'added, removed or changed.' })
  kind!: string;

  @Field(() => Json, { nullable: true })
  before!: unknown;

  @Field(() => Json, { nullable: true })
  after!: unknown;

  @Field(() => Boolean, { description: 'Callers may fail because of it.' })
  breaking!: boolean;

  @Field(() => String, { nullable: true, description: 'Why it is breaking.' })
  reason!: string | null;
}

export const CardVerificationStateEnum = enumOf(
  'CardVerificationState',
  "What a card's signatures are worth under the keys pinned for its provider.",
  CARD_VERIFICATIONS,
  {
    not_checked: 'Nobody looked: CARD_SIGNATURES is off.',
    unsigned: 'It has no signatures.',
    no_key: 'It has some, and no key is pinned for its provider.',
    invalid: 'None of them holds under a pinned key.',
    verified: 'One holds under a pinned key.',
  },
);

@ObjectType({ simpleResolvers: true, description: "What a card's signatures are worth." })
export class CardVerification {
  @Field(() => CardVerificationStateEnum)
  state!: string;

  @Field(() => String, { nullable: true, description: 'The pinned key that verified it.' })
  keyId!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'What a card says, before anything is stored.' })
export class CardPreview {
  @Field(() => String, { description: 'The URL that answered.' })
  url!: string;

  @Field(() => String, { description: 'The A2A version that it is written in: early, 0.2, 0.3 or 1.0.' })
  era!: string;

  @Field(() => String, { description: 'SHA-256 of the card, hexadecimal.' })
  digest!: string;

  @Field(() => Boolean, { description: 'It can be imported.' })
  valid!: boolean;

  @Field(() => [CardProblem])
  problems!: CardProblem[];

  @Field(() => CardVerification)
  verification!: CardVerification;

  @Field(() => Json, {
    nullable: true,
    description: 'What would be registered: the fields of an agent, and its skills.',
  })
  agent!: unknown;

  @Field(() => Agent, { nullable: true, description: 'The agent that was imported from this URL already.' })
  registered!: Agent | null;
}

@ObjectType({ simpleResolvers: true, description: 'An imported card, as it was fetched.' })
export class SourceCard {
  @Field(() => String)
  url!: string;

  @Field(() => String)
  era!: string;

  @Field(() => String, { description: 'SHA-256 of the card, hexadecimal.' })
  digest!: string;

  @Field(() => String, { description: 'Byte for byte, in base64.' })
  body!: string;

  @Field(() => Int)
  size!: number;

  @Field(() => [Json], { description: 'The JSON Web Signatures in it, as they came.' })
  signatures!: unknown[];

  @Field(() => DateTime)
  fetchedAt!: Date;

  @Field(() => CardVerification, { description: 'As it was when the card was fetched.' })
  verification!: CardVerification;
}

@ObjectType({ simpleResolvers: true, description: 'What fetching a card again showed.' })
export class CardRefresh {
  @Field(() => Agent)
  agent!: Agent;

  @Field(() => [CardChange])
  changes!: CardChange[];

  @Field(() => Boolean, { description: 'At least one change is breaking.' })
  breaking!: boolean;

  @Field(() => [CardProblem])
  problems!: CardProblem[];

  @Field(() => Boolean, { description: 'The changes are stored now.' })
  applied!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'What was deleted.' })
export class Deleted {
  @Field(() => ID)
  id!: string;
}
