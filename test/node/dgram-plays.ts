/** Scenes for sockets of dgram, Node's or ours, on a host that talks to itself: each writes down what happens. */
import type { EventEmitter } from 'node:events';
import { once } from 'node:events';

interface Info {
  readonly address: string;
  readonly family: string;
  readonly port: number;
}

/** What both have. */
export interface AnyDgram extends EventEmitter {
  bind(...args: unknown[]): unknown;
  connect(...args: unknown[]): unknown;
  send(...args: unknown[]): unknown;
  close(callback?: () => void): unknown;
  disconnect(): void;
  address(): Info;
  remoteAddress(): Info;
  setTTL(ttl: number): number;
  getRecvBufferSize(): number;
  setRecvBufferSize(size: number): void;
  ref(): unknown;
  unref(): unknown;
}

export type Create = (
  options: unknown,
  callback?: (message: Buffer, info: Info & { size: number }) => void,
) => AnyDgram;

const PORT = 5353;

type Play = (create: Create, say: (line: string) => void) => Promise<void>;

function told(call: () => unknown): string {
  try {
    const result = call();
    return typeof result === 'object' ? 'ok' : `gives ${String(result)}`;
  } catch (error) {
    return words(error as Error);
  }
}

function words(error: Error): string {
  const { name, message, code, syscall, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  return [name, code, message, syscall, address, port].join(' | ');
}

function shown({ address, family, port }: Info): string {
  return `${address} ${family} ${port > 30_000 ? 'some' : port}`;
}

function closed(socket: AnyDgram): Promise<unknown> {
  const done = once(socket, 'close');
  socket.close();
  return done;
}

export const plays: Readonly<Record<string, Play>> = {
  async 'a message, and its answer'(create, say) {
    const server = create('udp4', (message, info) => {
      say(`${message} from ${shown(info)}, ${info.size}`);
      server.send(message, info.port, info.address);
    });
    server.bind(PORT, '127.0.0.1', () => say('listening'));
    await once(server, 'listening');
    say(shown(server.address()));
    const client = create('udp4');
    client.send('hello', PORT, (error: Error | null, bytes: number) => say(`sent ${error} ${bytes}`));
    const [reply, info] = (await once(client, 'message')) as [Buffer, Info];
    say(`${reply} from ${shown(info)}; at ${shown(client.address())}`);
    await Promise.all([closed(server), closed(client)]);
  },

  async 'buffers, parts and lists'(create, say) {
    const seen: string[] = [];
    const server = create({ type: 'udp4' });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const client = create('udp4');
    const next = async () => {
      const [message] = (await once(server, 'message')) as [Buffer];
      seen.push(message.toString());
    };
    for (const args of [
      [Buffer.from('abcdef'), 1, 3, port, '127.0.0.1'],
      [['ab', Buffer.from('cd'), new Uint8Array([101])], port, '127.0.0.1'],
      [new DataView(new Uint8Array([120, 121]).buffer), port],
      ['', port],
    ]) {
      client.send(...args);
      await next();
    }
    say(seen.join());
    await Promise.all([closed(server), closed(client)]);
  },

  async 'a peer'(create, say) {
    const server = create('udp4');
    server.bind(PORT);
    await once(server, 'listening');
    const client = create('udp4');
    say(told(() => client.remoteAddress()));
    say(told(() => client.disconnect()));
    client.connect(PORT, '127.0.0.1');
    await once(client, 'connect');
    say(shown(client.remoteAddress()));
    say(told(() => client.connect(PORT)));
    say(told(() => client.send(Buffer.from('x'), 0, 1, PORT, '127.0.0.1')));
    client.send('to the peer');
    const [message] = (await once(server, 'message')) as [Buffer];
    say(message.toString());
    client.send(Buffer.from('a part'), 2, 4);
    say(((await once(server, 'message')) as [Buffer])[0].toString());
    client.disconnect();
    say(told(() => client.remoteAddress()));
    say(told(() => client.send('x')));
    await Promise.all([closed(server), closed(client)]);
  },

  async 'nobody listens'(create, say) {
    const client = create('udp4');
    client.connect(9, '127.0.0.1');
    await once(client, 'connect');
    client.send('anybody?');
    const [error] = (await once(client, 'error')) as [Error];
    say(words(error));
    await closed(client);
  },

  async 'what cannot be'(create, say) {
    const one = create('udp4');
    one.bind(PORT, '127.0.0.1');
    await once(one, 'listening');
    say(told(() => one.bind(PORT)));
    const two = create('udp4');
    two.bind(PORT, '127.0.0.1');
    say(words(((await once(two, 'error')) as [Error])[0]));
    const three = create('udp4');
    three.bind(0, '192.0.2.1');
    say(words(((await once(three, 'error')) as [Error])[0]));
    for (const port of [0, 65_536, 'x', undefined, -1]) say(told(() => one.send('x', port)));
    say(told(() => one.send(5, PORT)));
    say(told(() => one.send('x', PORT, 5)));
    say(told(() => one.send(Buffer.alloc(3), 1, 5, PORT)));
    say(told(() => one.send(Buffer.alloc(3), 4, 1, PORT)));
    say(told(() => create('udp5')));
    say(told(() => one.setTTL(0)));
    say(told(() => one.setTTL(3)));
    say(told(() => one.setTTL('3' as never)));
    const failed = new Promise((resolve) => one.send(Buffer.alloc(65_508), PORT, '127.0.0.1', resolve));
    say(words((await failed) as Error));
    one.send(Buffer.alloc(65_508), PORT, '127.0.0.1');
    const all = new Promise((resolve) => one.send('x', PORT, '255.255.255.255', resolve));
    say(((await all) as NodeJS.ErrnoException).code as string);
    await Promise.all([closed(one), closed(two), closed(three)]);
    for (const call of ['close', 'address', 'ref', 'unref'] as const) say(`${call} ${told(() => one[call]())}`);
    say(told(() => one.send('x', PORT)));
  },

  async 'before it is bound'(create, say) {
    const socket = create('udp4');
    say(told(() => socket.address()));
    socket.bind({ port: 0, address: '127.0.0.1' });
    await once(socket, 'listening');
    socket.setRecvBufferSize(20_000);
    say(String(socket.getRecvBufferSize()));
    await closed(socket);
  },

  async 'IPv6, and both families'(create, say) {
    const server = create('udp6', (message, info) => {
      say(`${message} from ${shown(info)}`);
      server.send(`${message}!`, info.port, info.address);
    });
    server.bind(PORT);
    await once(server, 'listening');
    say(shown(server.address()));
    for (const [type, address] of [
      ['udp4', '127.0.0.1'],
      ['udp6', '::1'],
    ] as const) {
      const client = create(type);
      client.send(type, PORT, address);
      const [reply, info] = (await once(client, 'message')) as [Buffer, Info];
      say(`${reply} from ${shown(info)}`);
      await closed(client);
    }
    await closed(server);
  },

  async 'a signal closes it'(create, say) {
    const controller = new AbortController();
    const socket = create({ type: 'udp4', signal: controller.signal });
    socket.bind(0);
    await once(socket, 'listening');
    const done = once(socket, 'close');
    controller.abort();
    await done;
    say(told(() => socket.close()));
  },
};

export async function playAll(create: Create): Promise<Record<string, string[]>> {
  const said: Record<string, string[]> = {};
  for (const [name, play] of Object.entries(plays)) {
    const lines: string[] = [];
    said[name] = lines;
    await play(create, (line) => lines.push(line));
  }
  return said;
}
