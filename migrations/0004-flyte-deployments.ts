import { Migration } from '@mikro-orm/migrations';

/** Where agents serve Flyte's tasks. */
export class FlyteDeployments extends Migration {
  override up(): void {
    this.addSql(`create table "flyte_deployment" (
      "id" uuid not null,
      "agent" uuid not null,
      "endpoint" text not null,
      "tls" boolean not null default true,
      "generation" int not null default 1,
      "weight" int not null default 1,
      "draining" boolean not null default false,
      "timeouts" jsonb not null default '{}',
      "created_at" timestamptz(6) not null,
      "updated_at" timestamptz(6) not null,
      primary key ("id")
    )`);
    this.addSql(
      `alter table "flyte_deployment" add constraint "flyte_deployment_endpoint_key" unique ("agent", "endpoint", "generation")`,
    );
    this.addSql(
      `alter table "flyte_deployment" add constraint "flyte_deployment_agent_foreign" foreign key ("agent") references "agent" ("id") on delete cascade`,
    );
  }
}
