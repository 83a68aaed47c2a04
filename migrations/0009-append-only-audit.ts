import { Migration } from '@mikro-orm/migrations';

/**
 * Makes the database itself refuse what would change the audit log's past. Two things stay possible: the count of a
 * refusal rises, and `expire_audit` removes lines that are at least half a day old.
 */
export class AppendOnlyAudit extends Migration {
  override up(): void {
    this.addSql(`create function "refuse_audit_change"() returns trigger language plpgsql as $body$
      begin
        if tg_op = 'UPDATE' and old.outcome = 'denied' and new.count > old.count
          and to_jsonb(new) - 'count' = to_jsonb(old) - 'count' then
          return new;
        end if;
        if tg_op = 'DELETE' and current_setting('rollcall.expiring_audit', true) = 'on' then
          return old;
        end if;
        raise exception 'audit_entry is append-only: % is refused', tg_op using errcode = 'restrict_violation';
      end
    $body$`);
    this.addSql(`create trigger "audit_entry_append_only" before update or delete on "audit_entry"
      for each row execute function "refuse_audit_change"()`);
    this.addSql(`create trigger "audit_entry_no_truncate" before truncate on "audit_entry"
      for each statement execute function "refuse_audit_change"()`);
    // The setting holds inside the function alone, and is what it was when that returns or fails.
    this.addSql(`create function "expire_audit"("before" timestamptz, "most" int) returns int language plpgsql
      set rollcall.expiring_audit = 'on' as $body$
      declare
        removed int;
      begin
        if "before" > now() - interval '12 hours' then
          raise exception 'audit_entry keeps every line for half a day' using errcode = 'restrict_violation';
        end if;
        delete from audit_entry where id in (select id from audit_entry where at < "before" order by at limit "most");
        get diagnostics removed = row_count;
        return removed;
      end
    $body$`);
  }
}
