/**
 * Network namespaces: a network of one's own, for the lab and for tests, that vanishes with the process however it ends.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { PRIVILEGE_ADVICE } from './tun-device.ts';
import { systemError, TunError } from './tun-error.ts';
import { Netlink } from './tun-netlink.ts';
import { tunSystem } from './tun-system.ts';

const CLONE_NEWNET = 0x4000_0000;
const F_SETFD = 2;
const TUN_PATH = '/dev/net/tun';

/** A user namespace in which we are root, and a network namespace in it (`unshare -Urn`). */
const UNSHARE = 'unshare';
const UNSHARE_OPTIONS = ['--user', '--map-root-user', '--net'];

/**
 * Puts the calling thread into a new network namespace and `lo` up in it. Called on Node's main thread it holds for
 * what that thread does from then on: its sockets (node:net, node:dgram, node:http), `openTun`, synchronous `fs` on /proc/sys/net, and child
 * processes and workers that it starts. Threads that were there already stay where they were: libuv's pool, which does `dns.lookup` and
 * asynchronous `fs`. The namespace and everything in it is gone when the last process in it is.
 * @throws TunError EPERM without CAP_SYS_ADMIN: see `userNamespaceProblem`
 */
export function enterNetworkNamespace(): void {
  const system = tunSystem();
  if (system.unshare(CLONE_NEWNET) < 0)
    throw systemError('cannot make a network namespace', system.errno(), PRIVILEGE_ADVICE);
  bringUp('lo');
}

/** @throws TunError ENODEV when there is no such interface; EPERM */
export function bringUp(name: string): void {
  const netlink = new Netlink(tunSystem());
  try {
    const found = netlink.byName(name);
    if (found === undefined) throw new TunError('ENODEV', `there is no interface ${name} to put up`);
    netlink.change(found.index, { up: true });
  } finally {
    netlink.close();
  }
}

/**
 * Writes a setting of the thread's network namespace: `setSysctl('net.ipv4.tcp_congestion_control', 'reno')`. A new namespace takes some from
 * the initial one, congestion control among them (and of these only what net.ipv4.tcp_allowed_congestion_control there has: else EPERM; see
 * `TunLink.addRoute` for a way without that limit), others from the kernel's defaults.
 * @param name dots or slashes, as sysctl(8) has it
 * @throws TunError with what the kernel answered: ENOENT no such setting, EACCES / EPERM not ours to set, EINVAL not a value for it
 */
export function setSysctl(name: string, value: string | number): void {
  try {
    // Synchronous on purpose: /proc/sys/net is that of the thread which opens the file.
    writeFileSync(`/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`, String(value));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'EIO';
    throw new TunError(code, `cannot set ${name} to ${value} (${code})`, { cause });
  }
}

/**
 * Why an ordinary user cannot have a namespace with a TUN device here; undefined: it can be had, by `execInUserNamespace`. A process with more
 * than one thread, as Node.js is, may not enter a user namespace itself (unshare(2): EINVAL), so util-linux's or busybox's
 * `unshare` does it. Takes some milliseconds: the program is tried.
 */
export function userNamespaceProblem(): string | undefined {
  const tried = spawnSync(UNSHARE, [...UNSHARE_OPTIONS, 'true'], { encoding: 'utf8' });
  if ((tried.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    return "there is no program 'unshare' (util-linux)";
  if (tried.error !== undefined) return `'unshare' does not start: ${tried.error.message}`;
  if (tried.status !== 0) return `user namespaces are off here (${firstLine(tried.stderr)})`;
  return tunAccessProblem();
}

/** Why this user cannot open /dev/net/tun; undefined: it can be opened, though making an interface takes CAP_NET_ADMIN too. */
export function tunAccessProblem(): string | undefined {
  try {
    accessSync(TUN_PATH, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? `there is no ${TUN_PATH}`
      : `${TUN_PATH} is not accessible to this user`;
  }
}

/** The command line that runs `argv` as root of a new user and network namespace; `lo` is down in it. */
export function userNamespaceCommand(argv: readonly string[]): [program: string, ...args: string[]] {
  return [UNSHARE, ...UNSHARE_OPTIONS, ...argv];
}

/**
 * Starts this process anew as `node <argv>`, as root of a new user and network namespace. It takes the place of the running one: the same process id, terminal
 * and parent, so that signals (SIGKILL too) go where they went, and nothing is left behind. Buffered output is lost; ask `userNamespaceProblem` first.
 * @param argv default: as this process was started
 * @returns only when it failed: why
 */
export function execInUserNamespace(argv: readonly string[] = [...process.execArgv, ...process.argv.slice(1)]): string {
  const system = tunSystem();
  const [program, ...args] = userNamespaceCommand([process.execPath, ...argv]);
  // Node.js marks its standard streams close-on-exec when it starts.
  for (const fd of [0, 1, 2]) system.fcntl(fd, F_SETFD, 0);
  system.execvp(program, [program, ...args]);
  return systemError(`cannot start '${program}'`, system.errno()).message;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
