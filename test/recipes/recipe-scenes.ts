/** Plays a recipe of docs/recipes in a network namespace, as its reader would: the device, the kernel's side, the program over tunstack. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const moduleUrl = import.meta.url;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
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

/** What was printed, beside what the recipe's comments promise. */
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

export async function play(name: string): Promise<Played> {
  setUp();
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-recipe-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const children: Running[] = [];
  try {
    const blocks = blocksOf(name);
    const app = blocks.find(({ kind }) => kind === 'js') as Block;
    const shell = blocks.find(({ kind }) => kind === 'sh');
    const isServer = shell?.code.includes('# server') === true;
    if (shell !== undefined && isServer) {
      children.push(new Running('bash', ['-ec', shell.code]));
      await listens(Number(/# server, listens on (\d+)/.exec(shell.code)?.[1]), children);
    }
    const kernel = blocks.find(({ kind }) => kind === 'js kernel');
    if (kernel !== undefined) {
      writeFileSync(join(folder, 'kernel.mjs'), kernel.code);
      children.push(new Running(process.execPath, [join(folder, 'kernel.mjs')]));
      await listens(Number(/port: (\d+)/.exec(kernel.code)?.[1]), children);
    }
    writeFileSync(join(folder, 'app.mjs'), app.code);
    const program = new Running(
      process.execPath,
      ['--import', join(ROOT, 'dist', 'src', 'register.js'), join(folder, 'app.mjs')],
      ENVIRONMENT,
    );
    children.push(program);
    const lines: Line[] = [];
    if (isServer || shell === undefined) {
      await program.ended;
      lines.push(...paired(program.output, promises(app.code)));
    } else {
      const [first] = promises(app.code);
      await program.says(first as string);
      lines.push({ said: program.output.trim(), promised: first as string });
      const kernelSide = new Running('bash', ['-ec', shell.code.replace(/ \| grep -c/g, ' | grep -c')]);
      children.push(kernelSide);
      await kernelSide.ended;
      lines.push(...paired(kernelSide.output, promises(shell.code)));
    }
    return { lines, errors: program.errors };
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

/** The three commands of docs/recipes/README.md. */
function setUp(): void {
  const text = readFileSync(join(ROOT, 'docs', 'recipes', 'README.md'), 'utf8');
  const commands = /^```sh\n(.*?)^```$/ms.exec(text)?.[1] as string;
  const { status, stderr } = spawnSync('bash', ['-ec', `ip link set lo up\n${commands}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the device of the recipes: ${stderr}`);
}

class Running {
  output = '';
  errors = '';
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#child = spawn(command, args, {
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
async function listens(port: number, running: readonly Running[]): Promise<void> {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const wanted = new RegExp(`:${hexadecimal} [0-9A-F]+:0000 0A`);
  const end = Date.now() + PATIENCE;
  while (!wanted.test(readFileSync('/proc/net/tcp', 'utf8'))) {
    const last = running.at(-1) as Running;
    if (last.isOver || Date.now() > end) throw new Error(`nobody listens on ${port}: ${last.output}${last.errors}`);
    await sleep(20);
  }
}
