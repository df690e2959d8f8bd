#!/usr/bin/env node
/** The command `tunstack`. Exit status: 0 done, 1 it did not work, 2 wrong use. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { labCommand } from './lab-command.ts';
import { packetdrillCommand } from './packetdrill.ts';

const { version, description } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string; description: string };

const program = new Command('tunstack')
  .description(description)
  .version(version)
  .showHelpAfterError('(--help tells what there is)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program.addCommand(labCommand().copyInheritedSettings(program));
program.addCommand(packetdrillCommand().copyInheritedSettings(program));
await program.parseAsync();
