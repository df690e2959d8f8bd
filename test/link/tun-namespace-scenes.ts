/** What tun-namespace.test.ts plays. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { enterNetworkNamespace, setSysctl } from '../../src/link/tun-namespace.ts';

export const moduleUrl = import.meta.url;

const TTL = 'net.ipv4.ip_default_ttl';

export function readTtl(): string {
  return readFileSync('/proc/sys/net/ipv4/ip_default_ttl', 'utf8').trim();
}

export function surroundings() {
  setSysctl(TTL, 33);
  const dotted = readTtl();
  setSysctl('net/ipv4/ip_default_ttl', '34');
  const slashed = readTtl();
  const lo = networkInterfaces()['lo']?.some((one) => one.address === '127.0.0.1');
  const congestionControl = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim();
  return { dotted, slashed, lo, congestionControl };
}

/** A namespace within: the setting of the outer one is out of reach. */
export function nested() {
  setSysctl(TTL, 33);
  enterNetworkNamespace();
  return readTtl();
}

export function refused(name: string, value: string): string {
  try {
    setSysctl(name, value);
    return 'set';
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
}

export function echoes(value: unknown): unknown {
  return value;
}

export function fails(): void {
  process.stderr.write('what the child had to say\n');
  throw new TypeError('the scene failed');
}

export async function hangs(): Promise<void> {
  await new Promise(() => setInterval(() => {}, 1000));
}

export function dies(): void {
  process.kill(process.pid, 'SIGTERM');
}
