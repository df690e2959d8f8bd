/**
 * Where the lab's packets go: a TUN device here, one in a network namespace of its own, or a pipe in memory.
 * Nothing that is made here outlives the process: a TUN device goes with its descriptor, a namespace with its last process.
 */
import type { Link } from '../link/link.ts';
import { createPipe } from '../link/pipe.ts';
import { openTun } from '../link/tun.ts';
import {
  bringUp,
  enterNetworkNamespace,
  execInUserNamespace,
  setSysctl,
  userNamespaceProblem,
} from '../link/tun-namespace.ts';
import { LabError } from './lab-error.ts';
import { mustBeFree } from './lab-network.ts';
import type { LabOptions, LinkKind } from './lab-options.ts';

export interface LabLink {
  readonly kind: LinkKind;
  /** The tunstack host's end. */
  readonly link: Link;
  /** With a pipe, the end of the second host. */
  readonly far: Link | undefined;
  /** What a terminal next door puts before a command to reach the host, with a space behind it; empty: nothing. */
  readonly enter: string;
  /** For the first lines: what it is, and why it is no better. */
  readonly words: readonly string[];
  /** The link ended by itself: somebody deleted the interface. */
  readonly isGone: () => boolean;
}

/** Set for the process that takes this one's place in a user namespace. */
const INSIDE = 'TUNSTACK_LAB_INSIDE';

/**
 * Opens the link asked for, or the best that can be had. It may start the process anew inside a user namespace: then it does not return.
 * @throws LabError when the one asked for cannot be had, or the network is in use
 */
export function openLabLink(options: LabOptions): LabLink {
  const inside = process.env[INSIDE] !== undefined;
  Reflect.deleteProperty(process.env, INSIDE);
  if (inside) return openInside(options);
  switch (options.link) {
    case 'tun':
      return openHere(options);
    case 'namespace':
      return told('a network namespace', () => openInNamespace(options));
    case 'pipe':
      return openPipe(options, []);
    default:
      return openBest(options);
  }
}

function openBest(options: LabOptions): LabLink {
  if (process.platform !== 'linux') return openPipe(options, [`TUN devices are Linux's, ${PIPE_INSTEAD}`]);
  const isRoot = process.getuid?.() === 0;
  let problem: string | undefined;
  if (isRoot) {
    try {
      return openHere(options);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      problem = error.cause.message;
    }
  }
  const second = userNamespaceProblem() ?? enterUserNamespace();
  return openPipe(options, [withoutKernel(problem ?? second, isRoot)]);
}

const PIPE_INSTEAD = 'so this is the same lab between two tunstack hosts, over a pipe in memory';

function withoutKernel(problem: string, isRoot: boolean): string {
  // What stands behind the code of a TunError is its advice, which is for other callers.
  const why = problem.replace(/(\([A-Z]+\)):.*/, '$1');
  return `No TUN device can be had (${why}), ${PIPE_INSTEAD}. With the kernel: ${advice(why, isRoot)}`;
}

function advice(problem: string, isRoot: boolean): string {
  const again = isRoot ? 'npm start' : 'sudo npm start';
  if (/there is no \/dev\/net\/tun|ENOENT|ENODEV/.test(problem))
    return `load the driver (modprobe tun) or start the container with --device /dev/net/tun, then ${again}`;
  return isRoot ? 'start the container with --cap-add NET_ADMIN --device /dev/net/tun' : again;
}

/** The kernel does not let us, as against: something is wrong with what was asked. */
function isRefusal(error: unknown): error is LabError & { cause: Error } {
  const cause = error instanceof LabError ? (error.cause as { code?: string } | undefined) : undefined;
  return ['EPERM', 'EACCES', 'ENOENT', 'ENODEV', 'ENOSYS', 'ERR_DLOPEN_FAILED'].includes(cause?.code ?? '');
}

/** Runs `open`; what goes wrong with a link is the person's to know. */
function told<T>(what: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof LabError) throw error;
    throw new LabError(`${what} cannot be had: ${(error as Error).message}`, { cause: error });
  }
}

function openHere(options: LabOptions): LabLink {
  mustBeFree(options.network);
  return openDevice(options, 'tun', '', 'in this network namespace');
}

function openInNamespace(options: LabOptions): LabLink {
  try {
    enterNetworkNamespace();
  } catch (error) {
    if ((error as { code?: string }).code !== 'EPERM') throw error;
    throw new Error(`${userNamespaceProblem() ?? enterUserNamespace()}: run as root (sudo)`, { cause: error });
  }
  const sudo = process.env['SUDO_USER'] === undefined ? '' : 'sudo ';
  return openFresh(options, `${sudo}nsenter -t ${process.pid} -n `);
}

/** Returns only when it failed: why. */
function enterUserNamespace(): string {
  process.env[INSIDE] = '1';
  const sourceMaps = process.execArgv.includes('--enable-source-maps') ? [] : ['--enable-source-maps'];
  try {
    return execInUserNamespace([...sourceMaps, ...process.execArgv, ...process.argv.slice(1)]);
  } catch (error) {
    // No system call can be made without koffi.
    return (error as Error).message;
  } finally {
    Reflect.deleteProperty(process.env, INSIDE);
  }
}

/** As root of a user namespace, in its network namespace. */
function openInside(options: LabOptions): LabLink {
  try {
    told('a network namespace', () => bringUp('lo'));
    return openFresh(options, `nsenter -t ${process.pid} --preserve-credentials -U -n `);
  } catch (error) {
    if (options.link === 'namespace') throw error;
    return openPipe(options, [withoutKernel((error as Error).message, false)]);
  }
}

/** A namespace that nobody else has settings in: they are the lab's. */
function openFresh(options: LabOptions, enter: string): LabLink {
  trySysctl('net.ipv6.conf.default.disable_ipv6', 1);
  // What the namespace took over from the initial one may be BBR, whose ladder is another's.
  if (!trySysctl('net.ipv4.tcp_congestion_control', 'cubic')) trySysctl('net.ipv4.tcp_congestion_control', 'reno');
  return openDevice(options, 'namespace', enter, 'in a network namespace of its own');
}

function openDevice(options: LabOptions, kind: LinkKind, enter: string, where: string): LabLink {
  const { network, mtu, offload } = options;
  const { peer, bits } = network;
  const link = told('a TUN device', () => openTun({ address: `${peer}/${bits}`, mtu, offload }));
  // Router solicitations of the kernel would stand between the packets that are meant.
  trySysctl(`net/ipv6/conf/${link.interfaceName}/disable_ipv6`, 1);
  const words = [
    `${link.interfaceName} is open ${where}: the Linux kernel has ${peer}/${bits} on it, tunstack ${network.host}`,
  ];
  return { kind, link, far: undefined, enter, words, isGone: () => link.closed };
}

function openPipe(options: LabOptions, words: readonly string[]): LabLink {
  const { mtu, offload, network } = options;
  const [far, link] = createPipe({ mtu, offload });
  const what = `A pipe in memory is open: one tunstack host has ${network.peer} on it, the other ${network.host}`;
  return { kind: 'pipe', link, far, enter: '', words: [...words, what], isGone: () => false };
}

/** Settings make the ladder tidier; without one of them it is still right. */
function trySysctl(name: string, value: string | number): boolean {
  try {
    setSysctl(name, value);
    return true;
  } catch {
    return false;
  }
}
