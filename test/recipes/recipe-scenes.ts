/** Plays recipes of docs/recipes in a network namespace, as their reader would: the device, the kernel's side, the program over tunstack. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const moduleUrl = import.meta.url;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REGISTER = join(ROOT, 'dist', 'src', 'register.js');
const ENVIRONMENT = { TUNSTACK_TUN: 'tun0', TUNSTACK_ADDRESS: '10.9.0.2/24', TUNSTACK_GATEWAY: '10.9.0.1' };
/** For servers to come up, ms. */
const PATIENCE = 15_000;

interface Block {
  readonly kind: string;
  readonly code: string;
}

interface Line {
  readonly said: string;
  readonly promised: string;
}

/** What was printed, beside what the recipe's comments promise; or why it could not be played. */
export interface Played {
  readonly lines: Line[];
  readonly errors: string;
}

function blocksOf(name: string): Block[] {
  const text = readFileSync(join(ROOT, 'docs', 'recipes', name), 'utf8');
  return [...text.matchAll(/^```(sh|js|js kernel)\n(.*?)^```$/gms)].map(([, kind, code]) => ({
    kind: kind as string,
    code: code as string,
  }));
}

const promises = (code: string) => [...code.matchAll(/(?:#|\/\/) prints: (.*)$/gm)].map(([, text]) => text as string);

/** One after another, in one namespace. */
export async function play(names: readonly string[]): Promise<Record<string, Played>> {
  setUp();
  const played: Record<string, Played> = {};
  for (const name of names) {
    played[name] = await playOne(name).catch((error) => ({ lines: [], errors: String(error) }));
  }
  return played;
}

/** From top to bottom, as its reader would, in a folder of its own. */
async function playOne(name: string): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-recipe-'));
  // PostgreSQL is another user.
  chmodSync(folder, 0o755);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const children: Running[] = [];
  const lines: Line[] = [];
  let program: Running | undefined;
  const run = (command: string, args: readonly string[], env: Record<string, string> = {}) => {
    const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
    const child = new Running(command, args, folder, { PATH: path, TMPDIR: folder, ...env });
    children.push(child);
    return child;
  };
  try {
    for (const { kind, code } of blocksOf(name)) {
      if (kind === 'js kernel') writeFileSync(join(folder, 'kernel.mjs'), code);
      else if (kind === 'js') {
        writeFileSync(join(folder, 'app.mjs'), code);
        program = run(process.execPath, ['--import', REGISTER, 'app.mjs'], ENVIRONMENT);
        const [first] = promises(code);
        if (first !== 'listening') await program.ended;
        else await program.says(first);
        lines.push(...paired(program.output, promises(code)));
      } else {
        const shell = run('bash', ['-c', code]);
        const server = /# server, listens on (\d+)/.exec(code)?.[1];
        if (server !== undefined) await listens(Number(server), shell);
        else {
          await shell.ended;
          lines.push(...paired(shell.output, promises(code)));
        }
      }
    }
    return { lines, errors: program?.errors ?? '' };
  } finally {
    for (const child of children.reverse()) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function paired(output: string, promised: readonly string[]): Line[] {
  const said = output.split('\n').filter((line) => line !== '');
  return Array.from({ length: Math.max(said.length, promised.length) }, (_, i) => ({
    said: said[i] ?? '',
    promised: promised[i] ?? '',
  }));
}

/** The commands of docs/recipes/README.md. */
function setUp(): void {
  const text = readFileSync(join(ROOT, 'docs', 'recipes', 'README.md'), 'utf8');
  const commands = /^```sh\n(.*?)^```$/ms.exec(text)?.[1] as string;
  const { status, stderr } = spawnSync('bash', ['-ec', commands], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the device of the recipes: ${stderr}`);
}

class Running {
  output = '';
  errors = '';
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], cwd: string, env: Record<string, string>) {
    this.#child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (text) => {
      this.output += text;
    });
    this.#child.stderr?.on('data', (text) => {
      this.errors += text;
    });
    this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async says(text: string): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!this.output.includes(text)) {
      if (this.isOver || Date.now() > end)
        throw new Error(`the program did not say ${text}: ${this.output}${this.errors}`);
      await sleep(20);
    }
  }

  /** Ends it with all that it started. */
  async stop(): Promise<void> {
    const group = -(this.#child.pid as number);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      try {
        process.kill(group, signal);
      } catch {
        return;
      }
      await Promise.race([this.ended, sleep(1500)]);
    }
  }
}

/** Until the kernel has a listener on that port. */
async function listens(port: number, server: Running): Promise<void> {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const wanted = new RegExp(`:${hexadecimal} [0-9A-F]+:0000 0A`);
  const end = Date.now() + PATIENCE;
  while (!wanted.test(readFileSync('/proc/net/tcp', 'utf8'))) {
    if (server.isOver || Date.now() > end)
      throw new Error(`nobody listens on ${port}: ${server.output}${server.errors}`);
    await sleep(20);
  }
}
