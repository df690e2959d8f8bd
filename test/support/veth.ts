/** A second machine for a scene: a namespace of its own at the other end of a veth pair, which ends with its only process. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';

/** Ours is the scene's namespace; the far end is the neighbour's. */
export const NEAR_INTERFACE = 'veth0';
export const FAR_INTERFACE = 'veth1';

/** Why there is none here; undefined: there can be. */
export function vethProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = ['unshare', 'nsenter', 'ip'].find((tool) => spawnSync(tool, ['-V']).error !== undefined);
  return missing === undefined ? undefined : `needs ${missing}`;
}

export class Neighbour {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** @param near addresses of the interface here, with their bits; @param far of the one there */
  static async start(near: readonly string[], far: readonly string[], mtu = 1500): Promise<Neighbour> {
    const child = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const neighbour = new Neighbour(child);
    // `unshare` has made its namespace once it differs from ours.
    while (networkOf(neighbour.pid) === networkOf('self')) await new Promise((resolve) => setTimeout(resolve, 5));
    const pid = String(neighbour.pid);
    ip('link', 'add', NEAR_INTERFACE, 'type', 'veth', 'peer', 'name', FAR_INTERFACE, 'netns', pid);
    ip('link', 'set', NEAR_INTERFACE, 'mtu', String(mtu), 'up');
    neighbour.run('ip', 'link', 'set', FAR_INTERFACE, 'mtu', String(mtu), 'up');
    for (const address of near) ip('addr', 'add', address, 'dev', NEAR_INTERFACE, ...duplicateDetection(address));
    for (const address of far)
      neighbour.run('ip', 'addr', 'add', address, 'dev', FAR_INTERFACE, ...duplicateDetection(address));
    return neighbour;
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** What a program must be started with to run there. */
  get entry(): [program: string, ...args: string[]] {
    return ['nsenter', '-t', String(this.pid), '-n'];
  }

  /** Runs a program there to its end. @returns what it wrote @throws Error when it failed */
  run(...command: string[]): string {
    const [program, ...args] = this.entry;
    return execFileSync(program, [...args, ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }
}

export function ip(...args: string[]): void {
  execFileSync('ip', args);
}

function duplicateDetection(address: string): string[] {
  return address.includes(':') ? ['nodad'] : [];
}

function networkOf(pid: number | 'self'): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}
