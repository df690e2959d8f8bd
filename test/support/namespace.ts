/**
 * Scenes that need a network of their own: functions of a module, each call in a new network namespace of a child process, so that the
 * other tests keep their network and nothing is left when the child ends or is killed. A child that has nothing left of its scene (no file, no
 * process, nothing that waits) plays the next one, in the next namespace: most of a short scene's time is the start of a process.
 *
 *     // tun-scenes.ts
 *     export const moduleUrl = import.meta.url;
 *     export async function mtuOf(mtu: number) { ... openTun({ mtu }) ...; return readMtu(); }
 *
 *     // tun.test.ts
 *     import * as scenes from './tun-scenes.ts';
 *     const run = inNamespace(scenes);
 *     describeWithTun('TUN link', () => {
 *       it('takes an mtu', async () => expect(await run.mtuOf(1280)).to.equal(1280));
 *     });
 */

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { tunAccessProblem, userNamespaceCommand, userNamespaceProblem } from '../../src/link/tun-namespace.ts';

export interface NamespaceOptions {
  /** Longest time for one scene, ms; then the child is killed. Default: 20000. */
  readonly timeout?: number;
  /** Arguments for the child's `node`. */
  readonly execArgv?: readonly string[];
}

export interface SceneModule {
  readonly moduleUrl: string;
}

/** The functions of a module, each as one that runs in a child. Arguments and results are cloned (structured clone). */
export type Scenes<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** What the parent sends to the child, and what comes back. */
export interface SceneCall {
  readonly moduleUrl: string;
  readonly scene: string;
  readonly args: readonly unknown[];
}
export type SceneReport =
  | { readonly kind: 'result'; readonly value: unknown; readonly clean: boolean }
  | { readonly kind: 'error'; readonly stack: string };

const isRoot = process.getuid?.() === 0;
const CHILD = new URL('./namespace-child.js', import.meta.url);

/** Why namespaces with a TUN device cannot be had here; undefined: they can. */
export const namespaceProblem: string | undefined =
  process.platform !== 'linux' ? 'needs Linux' : isRoot ? tunAccessProblem() : userNamespaceProblem();

/** Longest time for a test with a scene, ms: more than a scene's, so that the scene's own failure is told. */
const TEST_TIMEOUT = 25_000;

/** `describe` where namespaces can be had; elsewhere its tests are pending and its title says why. */
export function describeWithTun(title: string, body: (this: Mocha.Suite) => void): void {
  if (namespaceProblem === undefined) {
    describe(title, function () {
      this.timeout(TEST_TIMEOUT);
      body.call(this);
    });
  } else describe.skip(`${title} [pending: ${namespaceProblem}; run as root]`, body);
}

/** The module's functions, to be called as if they ran here. */
export function inNamespace<T extends SceneModule>(module: T, options: NamespaceOptions = {}): Scenes<T> {
  const scenes = Object.entries(module).filter(([, value]) => typeof value === 'function');
  return Object.fromEntries(
    scenes.map(([name]) => [name, (...args: unknown[]) => runInNamespace(module.moduleUrl, name, args, options)]),
  ) as unknown as Scenes<T>;
}

/**
 * Calls one exported function of a module in a child process, in a network namespace of its own.
 * @throws Error with the scene's stack, or how the child ended, and what it wrote to stderr
 */
export function runInNamespace(
  moduleUrl: string,
  scene: string,
  args: readonly unknown[],
  options: NamespaceOptions = {},
): Promise<unknown> {
  const { timeout = 20_000, execArgv = [] } = options;
  const child = Child.take(execArgv);
  return child.play({ moduleUrl, scene, args }, timeout);
}

/** A process that plays scenes, one after the other. */
class Child {
  /** Those that wait for their next scene. */
  static readonly #idle: Child[] = [];

  readonly #process: ChildProcess;
  readonly #key: string;
  #stderr = '';

  private constructor(execArgv: readonly string[], key: string) {
    this.#process = startChild(execArgv);
    this.#key = key;
    this.#process.stderr?.on('data', (data: Buffer) => (this.#stderr += data.toString()));
  }

  static take(execArgv: readonly string[]): Child {
    const key = execArgv.join(' ');
    const at = Child.#idle.findIndex((child) => child.#key === key);
    const [child] = at < 0 ? [] : Child.#idle.splice(at, 1);
    if (child === undefined) return new Child(execArgv, key);
    child.#hold(true);
    return child;
  }

  play(call: SceneCall, timeout: number): Promise<unknown> {
    this.#stderr = '';
    const child = this.#process;
    return new Promise((resolve, reject) => {
      let report: SceneReport | undefined;
      const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
      const settle = (how: string) => {
        clearTimeout(timer);
        child.removeAllListeners();
        const wrote = this.#stderr === '' ? '' : `\nstderr of the child:\n${this.#stderr}`;
        if (report?.kind === 'result') resolve(report.value);
        else if (report?.kind === 'error') reject(new Error(`scene ${call.scene}: ${report.stack}${wrote}`));
        else reject(new Error(`scene ${call.scene} ended without a result (${how}, limit ${timeout} ms)${wrote}`));
      };
      child.on('error', reject);
      child.on('close', (code, signal) => settle(signal ?? `exit code ${code}`));
      child.on('message', (message: SceneReport) => {
        report = message;
        if (message.kind === 'error' || !message.clean) return;
        settle('');
        this.#rest();
      });
      child.send(call);
    });
  }

  #rest(): void {
    this.#hold(false);
    Child.#idle.push(this);
    this.#process.on('close', () => Child.#idle.splice(Child.#idle.indexOf(this), 1));
  }

  /** Whether it keeps this process alive; it ends with it. */
  #hold(holds: boolean): void {
    const { channel, stderr } = this.#process;
    this.#process.removeAllListeners();
    for (const one of [this.#process, channel, stderr as Socket | null]) holds ? one?.ref?.() : one?.unref?.();
  }
}

function startChild(execArgv: readonly string[]): ChildProcess {
  const nodeArgv = ['--enable-source-maps', ...execArgv];
  const stdio: ['ignore', 'inherit', 'pipe', 'ipc'] = ['ignore', 'inherit', 'pipe', 'ipc'];
  if (isRoot) return fork(CHILD, [], { execArgv: nodeArgv, stdio, serialization: 'advanced' });
  const [execPath, ...before] = userNamespaceCommand([process.execPath, ...nodeArgv]);
  return fork(CHILD, [], { execPath, execArgv: before, stdio, serialization: 'advanced' });
}
