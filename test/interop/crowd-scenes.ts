/** What crowd.test.ts plays in a network namespace of its own. */
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import type { TCPListener } from '../../src/net/tcp-listener.ts';
import { LONG } from './combinations.ts';
import { type GroundOptions, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

const LIMIT = LONG ? 60_000 : 15_000;

/** Echoes what each connection sends, until it ends. */
export async function echoAll(listener: TCPListener): Promise<void> {
  for await (const conn of listener) {
    void echo(conn).catch(() => {});
  }
}

export async function echo(conn: TCPConn): Promise<void> {
  try {
    for await (const chunk of conn) await conn.write(chunk);
  } finally {
    conn.close();
  }
}

/** `count` clients of the kernel's that are all there at once. */
export function crowd(options: GroundOptions, count: number) {
  return onGround(options, async (ground) => {
    const listener = await ground.host.listen('tcp', ':7');
    void echoAll(listener);
    const echoed = await ground.within(15_000, `${count} clients`, ground.kernel.gather(7, count));
    const established = ground.host.sockets().filter(({ state }) => state === 'ESTABLISHED').length;
    await ground.within(15_000, 'their end', ground.kernel.disperse());
    listener.close();
    return { echoed, established };
  });
}

/** `count` connections, `width` at a time, dialled by the kernel. */
export function churn(options: GroundOptions, count: number, width: number) {
  return onGround(options, async (ground) => {
    const listener = await ground.host.listen('tcp', ':7');
    void echoAll(listener);
    const began = performance.now();
    const echoed = await ground.within(LIMIT, `${count} connections`, ground.kernel.churn(7, count, width));
    const perSecond = (count * 1000) / (performance.now() - began);
    listener.close();
    return { echoed, perSecond };
  });
}

/** The other way round: `count` connections that we dial, `width` at a time. */
export function churnDialled(options: GroundOptions, count: number, width: number) {
  return onGround(options, async (ground) => {
    const port = await ground.kernel.listen('echo');
    const began = performance.now();
    let started = 0;
    let echoed = 0;
    const worker = async () => {
      while (started < count) {
        const line = new TextEncoder().encode(`short ${started++}`);
        const conn = await ground.host.dial('tcp', `10.9.0.1:${port}`);
        await conn.write(line);
        if ((await readText(conn, line.length)) === new TextDecoder().decode(line)) echoed++;
        conn.close();
      }
    };
    const workers = Promise.all(Array.from({ length: width }, worker));
    await ground.within(LIMIT, `${count} connections`, workers);
    return { echoed, perSecond: (count * 1000) / (performance.now() - began) };
  });
}

/** Reads `length` bytes of text. */
export async function readText(conn: TCPConn, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const chunk = await conn.readChunk();
    if (chunk === null) break;
    text += new TextDecoder().decode(chunk);
  }
  return text;
}
