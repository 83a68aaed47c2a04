import { Migration } from '@mikro-orm/migrations';

/** The keys that a provider's cards must be signed with, and what became of an imported card's signatures. */
export class CardTrust extends Migration {
  override up(): void {
    this.addSql(`create table "provider_card_key" (
      "provider" uuid not null,
      "kid" text not null,
      "jwk" jsonb not null,
      "created_at" timestamptz(6) not null,
      primary key ("provider", "kid")
    )`);
    this.addSql(
      `alter table "provider_card_key" add constraint "provider_card_key_provider_foreign" foreign key ("provider") references "provider" ("id") on delete cascade`,
    );
    this.addSql(`alter table "source_card" add column "verification" text not null default 'not_checked'`);
    this.addSql(`alter table "source_card" add column "verified_kid" text null`);
  }
}
