// Writes the schema files from the built code: npm run schema
import { writeFileSync } from 'node:fs';
import { printSchemaFiles } from '../dist/src/graphql/schema-files.js';

for (const [file, text] of Object.entries(printSchemaFiles())) writeFileSync(new URL(file, import.meta.url), text);
