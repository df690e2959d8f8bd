/** What the programs of register-scenes.ts share. */
import type { EventEmitter } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

export type Scene = () => Promise<unknown>;

export const until = (emitter: EventEmitter, name: string) =>
  new Promise<unknown>((resolve, reject) => {
    emitter.once(name, resolve);
    emitter.once('error', reject);
  });

export async function listening(server: Server): Promise<number> {
  server.listen(0);
  await until(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
