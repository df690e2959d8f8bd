/** Sockets of the kernel on ports that a raw link is to have: they would hear nothing any more, without being told. */
import { readFileSync } from 'node:fs';
import { IpAddress } from '../wire/address.ts';
import { hasPort, type PortRange } from './raw-ports.ts';

const TIME_WAIT = '06';

/** @returns `tcp 0.0.0.0:22`, for a message; undefined: there is none */
export function kernelSocket(
  address: IpAddress,
  ports: readonly PortRange[],
  protocols: readonly ('tcp' | 'udp')[],
): string | undefined {
  for (const name of protocols.flatMap((protocol) => [protocol, `${protocol}6`])) {
    for (const line of tableOf(name)) {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const [words = '', port = ''] = local.split(':');
      if (state === TIME_WAIT || !hasPort(ports, Number.parseInt(port, 16))) continue;
      const own = readWords(words);
      if (own.isUnspecified || own.equals(address)) return `${name} ${own}:${Number.parseInt(port, 16)}`;
    }
  }
  return undefined;
}

/** The sockets of the thread's network namespace, a line each; none where there is no such table. */
function tableOf(name: string): string[] {
  try {
    return readFileSync(`/proc/thread-self/net/${name}`, 'utf8').trim().split('\n').slice(1);
  } catch {
    return [];
  }
}

/** One word of eight digits, or four: each in the machine's order, which is the other way round. */
function readWords(text: string): IpAddress {
  const words = (text.match(/.{8}/g) ?? []).map((word) =>
    Number.parseInt((word.match(/../g) as string[]).reverse().join(''), 16),
  );
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
  return words.length === 1 ? IpAddress.v4(w0) : IpAddress.v6(w0, w1, w2, w3);
}
