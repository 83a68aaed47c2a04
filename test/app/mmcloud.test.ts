import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mmcloudAgents } from '../../src/app/mmcloud.ts';
import { readConfig } from '../../src/config.ts';
import { connectPublished } from '../flyte/support/published.ts';
import { startTestApp } from '../support/app.ts';
import { FakeFloat } from '../support/fake-float/fake-float.ts';

let fake: FakeFloat;
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  fake = new FakeFloat();
});
afterEach(async () => {
  for (const each of cleanups.splice(0).reverse()) await each();
  fake.remove();
});

/** Where no secret lies. */
const nowhere = (): string => join(fake.directory, 'no-secrets');

function served(settings: Record<string, string>) {
  const lines: { readonly fields: object; readonly message: string }[] = [];
  const write = (fields: object, message: string) => lines.push({ fields, message });
  const config = readConfig({ MMCLOUD_FLOAT: fake.program, MMCLOUD_SECRETS_DIR: nowhere(), ...settings });
  const agents = mmcloudAgents(config, { info: write, warn: write, error: write } as never);
  expect(JSON.stringify(lines)).not.toContain(fake.password.split(' ').at(-1));
  return { agents, lines };
}

const settings = () => ({
  MMCLOUD_ADDRESS: fake.address,
  MMCLOUD_USERNAME: fake.username,
  MMCLOUD_PASSWORD: fake.password,
});

describe('the MMCloud agent', () => {
  it('is served to Flyte when the CLI and its secrets are there', async () => {
    const app = await startTestApp({ MMCLOUD_FLOAT: fake.program, MMCLOUD_SECRETS_DIR: nowhere(), ...settings() });
    cleanups.push(() => app.close());
    const published = connectPublished(Number(app.addresses.flyte?.split(':').at(-1)));
    cleanups.push(published.close);
    const { agents } = await published.metadataService.listAgents({});
    const listed = agents?.find(({ name }) => name === 'MMCloud Agent');
    expect(listed).toMatchObject({ isSync: false, supportedTaskTypes: ['mmcloud_task'] });
    expect(listed?.supportedTaskCategories).toEqual([expect.objectContaining({ name: 'mmcloud_task' })]);
    const { resourceMeta } = await published.asyncService.createTask({
      template: { type: 'mmcloud_task', container: { image: 'img:1', args: ['true'] } },
    });
    expect(JSON.parse(Buffer.from(resourceMeta ?? []).toString())).toEqual({ job_id: fake.jobs()[0]!.id });
    const job = { resourceMeta, taskCategory: { name: 'mmcloud_task', version: 0 } };
    expect((await published.asyncService.getTask(job)).resource?.phase).toBe(1);
    await published.asyncService.deleteTask(job);
    expect(fake.jobs()[0]!.status).toBe('Cancelled');
  });

  it('finds its secrets as flytekit does: in the environment, or in files', async () => {
    const { address, username, password } = fake;
    const { agents } = served({
      _FSEC_MMC_ADDRESS: address,
      _FSEC_MMC_USERNAME: username,
      _FSEC_MMC_PASSWORD: password,
    });
    await agents[0]!.asyncLogin(AbortSignal.timeout(10_000));
    fake.expire();
    const directory = join(fake.directory, 'secrets');
    mkdirSync(directory);
    for (const [name, value] of Object.entries({ address, username, password })) {
      writeFileSync(join(directory, `mmc_${name}`), `${value}\n`);
    }
    const fromFiles = served({ MMCLOUD_SECRETS_DIR: directory });
    await fromFiles.agents[0]!.asyncLogin(AbortSignal.timeout(10_000));
    expect(fake.logins().loggedIn).toBe(2);
  });

  it('prefers the settings to what stands in for them', () => {
    const { MMCLOUD_USERNAME } = readConfig({ MMCLOUD_USERNAME: 'set', _FSEC_MMC_USERNAME: 'secret' });
    expect(MMCLOUD_USERNAME).toBe('set');
    expect(readConfig({ MMCLOUD_USERNAME: '', _FSEC_MMC_USERNAME: 'secret' }).MMCLOUD_USERNAME).toBe('secret');
  });

  it('is no matter where there is no secret', () => {
    expect(served({})).toEqual({ agents: [], lines: [] });
  });

  it.each([
    [{ MMCLOUD_PASSWORD: '' }, ['MMCLOUD_PASSWORD']],
    [{ MMCLOUD_ADDRESS: '', MMCLOUD_USERNAME: '' }, ['MMCLOUD_ADDRESS', 'MMCLOUD_USERNAME']],
    [{ MMCLOUD_FLOAT: '/nowhere/float' }, ['MMCLOUD_FLOAT']],
    [{ MMCLOUD_FLOAT: 'no-such-program-anywhere' }, ['MMCLOUD_FLOAT']],
    [{ MMCLOUD_FLOAT: '/tmp' }, ['MMCLOUD_FLOAT']],
  ])('is not served, and the log says why, with %j', (less, missing) => {
    const { agents, lines } = served({ ...settings(), ...less });
    expect(agents).toEqual([]);
    expect(lines).toEqual([
      { fields: { missing }, message: expect.stringContaining('The MMCloud agent is not served') },
    ]);
  });
});
