/**
 * Scenes for two modules, `node:net` and ours: each plays the same with both and gives a list of what happened, in which ports are called
 * by what they are the ports of.
 */
import type * as machine from 'node:net';

/** What `node:net` and the net of a host have in common. */
export type AnyNet = typeof machine;
export type Scene = (net: AnyNet, stage: Stage) => Promise<unknown>;

/** What a scene has opened, and how its listings are made. */
export class Stage {
  readonly log: string[] = [];
  readonly #ports = new Map<number, string>();
  readonly #open: { destroy?(): unknown; close?(): unknown }[] = [];

  /** It is closed when the scene is over. */
  add<T extends { destroy?(): unknown; close?(): unknown }>(one: T): T {
    this.#open.push(one);
    return one;
  }

  /** From now on the port is called so. */
  name(port: number | undefined, as: string): number {
    this.#ports.set(port as number, as);
    return port as number;
  }

  note(...what: unknown[]): void {
    this.log.push(what.map((one) => this.text(one)).join(' '));
  }

  /** Notes these events of an emitter, with what they bring. */
  watch(who: string, emitter: NodeJS.EventEmitter, ...events: string[]): void {
    for (const event of events) {
      emitter.on(event, (...args: unknown[]) => this.note(who, event, ...args));
    }
  }

  text(value: unknown): string {
    if (value instanceof Error) return this.#errorText(value);
    if (Buffer.isBuffer(value)) return value.length > 40 ? `${value.length} bytes` : value.toString();
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(([key, each]) => `${key}: ${this.text(each)}`);
      return `{ ${entries.join(', ')} }`;
    }
    return this.#named(String(value));
  }

  #errorText(error: Error): string {
    const { code, errno, syscall, address, port, localAddress, localPort, errors } = error as Error &
      Record<string, unknown>;
    const rest = Object.entries({ code, errno, syscall, address, port, localAddress, localPort })
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => `${key}: ${this.text(each)}`);
    const parts = Array.isArray(errors) ? errors.map((each) => ` + ${this.text(each)}`) : [];
    return this.#named(`${error.name}(${error.message}) ${rest.join(', ')}${parts.join('')}`);
  }

  #named(text: string): string {
    let named = text;
    for (const [port, name] of this.#ports) named = named.replaceAll(String(port), `<${name}>`);
    return named;
  }

  close(): void {
    for (const one of this.#open) {
      if (one.destroy !== undefined) one.destroy();
      else one.close?.();
    }
  }
}

/** The event, or an `error` that comes first, which it gives; `close` comes in any case. */
export function event(emitter: NodeJS.EventEmitter, name: string): Promise<unknown> {
  return new Promise((resolve) => {
    emitter.once(name, resolve);
    if (name !== 'error' && name !== 'close') emitter.once('error', resolve);
    else if (name === 'close') emitter.once('error', () => {});
  });
}

/** A server that listens on 127.0.0.1. */
export async function listening(net: AnyNet, stage: Stage, options: machine.ServerOpts = {}): Promise<machine.Server> {
  const server = stage.add(net.createServer(options));
  server.listen(0, '127.0.0.1');
  await event(server, 'listening');
  stage.name(port(server), 'server');
  return server;
}

export function port(server: machine.Server): number {
  return (server.address() as machine.AddressInfo).port;
}

/** A client of a server, and the server's end of that connection. */
export async function connected(
  net: AnyNet,
  stage: Stage,
  options: machine.ServerOpts = {},
  client: Partial<machine.TcpNetConnectOpts> & machine.SocketConstructorOpts = {},
): Promise<{ server: machine.Server; here: machine.Socket; there: machine.Socket }> {
  const server = await listening(net, stage, options);
  const accepting = event(server, 'connection');
  const here = stage.add(net.connect({ port: port(server), host: '127.0.0.1', ...client }));
  const connecting = event(here, 'connect');
  const there = stage.add((await accepting) as machine.Socket);
  await connecting;
  stage.name(here.localPort, 'client');
  return { server, here, there };
}

const CLOSING = ['data', 'end', 'finish', 'error', 'close', 'timeout', 'drain'];

/** What goes over connections that are well. */
export const talk: Record<string, Scene> = {
  'a question, an answer, and the end from the answering side': async (net, stage) => {
    const { server, here, there } = await connected(net, stage);
    const notes = new Stage();
    stage.watch('client', here, ...CLOSING, 'ready');
    notes.watch('server', there, ...CLOSING);
    there.once('data', (question: Buffer) => there.end(`${question}!`));
    here.write('hello');
    await Promise.all([event(here, 'close'), event(there, 'close')]);
    stage.note('bytes', here.bytesRead, here.bytesWritten, there.bytesRead, there.bytesWritten);
    stage.note(here.destroyed, here.readyState, here.pending, here.connecting, here.remoteAddress === undefined);
    server.close();
    await event(server, 'close');
    return notes.log;
  },
  'the events and properties of a connection as it comes up': async (net, stage) => {
    const server = await listening(net, stage);
    const socket = stage.add(new net.Socket());
    stage.watch(
      'socket',
      socket,
      'lookup',
      'connectionAttempt',
      'connect',
      'ready',
      'connectionAttemptFailed',
      'close',
    );
    stage.note(
      socket.pending,
      socket.connecting,
      socket.readyState,
      socket.bufferSize,
      socket.timeout,
      socket.address(),
    );
    socket.connect(port(server), '127.0.0.1', () => stage.note('callback'));
    stage.note(socket.pending, socket.connecting, socket.readyState, socket.write('abc'), socket.bytesWritten);
    await event(socket, 'ready');
    stage.name(socket.localPort, 'client');
    stage.note(socket.pending, socket.connecting, socket.readyState, socket.bytesWritten, socket.bufferSize);
    stage.note(socket.address(), socket.localAddress, socket.localFamily, socket.localPort);
    stage.note(socket.remoteAddress, socket.remoteFamily, socket.remotePort, socket.autoSelectFamilyAttemptedAddresses);
    socket.destroy();
    await event(socket, 'close');
    stage.note(socket.readyState, socket.address(), socket.remoteAddress, socket.bytesWritten, socket.bufferSize);
  },
  'a server that keeps its side open': async (net, stage) => {
    const { here, there } = await connected(net, stage, { allowHalfOpen: true });
    stage.watch('client', here, ...CLOSING);
    here.end('question');
    there.resume();
    await event(there, 'end');
    stage.note(there.readyState, there.allowHalfOpen, here.allowHalfOpen);
    there.end('answer');
    await event(here, 'close');
  },
  'a server that pauses': async (net, stage) => {
    const { here, there } = await connected(net, stage, { pauseOnConnect: true });
    here.write('early');
    await new Promise((resolve) => setTimeout(resolve, 20));
    stage.note(there.isPaused(), there.bytesRead);
    there.resume();
    stage.note(await event(there, 'data'), there.bytesRead);
  },
  'corked writes come as one': async (net, stage) => {
    const { here, there } = await connected(net, stage);
    here.cork();
    for (const part of ['a', 'b', Buffer.from('c')]) here.write(part);
    stage.note(here.bytesWritten, here.writableLength);
    here.uncork();
    stage.note(await event(there, 'data'), here.bytesWritten, here.writableLength);
  },
  'strings in encodings': async (net, stage) => {
    const { here, there } = await connected(net, stage);
    there.setEncoding('latin1');
    here.write('ä', 'latin1');
    here.write('6162', 'hex');
    here.end('Yw==', 'base64');
    let text = '';
    for await (const part of there) text += part;
    stage.note(text, here.bytesWritten);
  },
  'onread, with one buffer': async (net, stage) => {
    const buffer = Buffer.alloc(4);
    const onread = {
      buffer,
      callback(this: unknown, count: number, given: Uint8Array) {
        stage.note(this instanceof net.Socket, count, given === buffer, Buffer.from(given.subarray(0, count)));
        return true;
      },
    };
    const { here, there } = await connected(net, stage, {}, { onread });
    stage.watch('client', here, ...CLOSING);
    there.end('12345678');
    await event(here, 'close');
  },
  'onread, with a new buffer each time, and a pause': async (net, stage) => {
    let buffers = 0;
    let told = () => {};
    const next = () =>
      new Promise<void>((resolve) => {
        told = resolve;
      });
    const onread = {
      buffer: () => {
        buffers++;
        return Buffer.alloc(4);
      },
      callback: (count: number) => {
        stage.note(count, buffers);
        told();
        return false;
      },
    };
    const { here, there } = await connected(net, stage, {}, { onread });
    const first = next();
    there.write('12345678');
    await first;
    stage.note(here.bytesRead, buffers);
    const second = next();
    here.resume();
    await second;
    stage.note(here.bytesRead, buffers);
  },
  'a writer that is ahead of its reader': async (net, stage) => {
    const { here, there } = await connected(net, stage);
    const much = Buffer.alloc(16 * 1024 * 1024, 'x');
    stage.note(here.write(much), here.writableNeedDrain, here.bytesWritten, (here.bufferSize as number) > 0);
    await new Promise((resolve) => setTimeout(resolve, 10));
    let got = 0;
    there.on('data', (bytes: Buffer) => {
      got += bytes.length;
    });
    await event(here, 'drain');
    here.end();
    await event(there, 'end');
    stage.note(got, here.bytesWritten, there.bytesRead);
  },
  timeouts: async (net, stage) => {
    const { here, there } = await connected(net, stage);
    stage.note(here.setTimeout(20) === here, here.timeout);
    await event(here, 'timeout');
    stage.note(here.destroyed, there.timeout);
    const never = () => stage.note('never');
    here.setTimeout(10, never).setTimeout(0, never);
    await new Promise((resolve) => setTimeout(resolve, 30));
    stage.note(here.timeout, here.listenerCount('timeout'));
  },
  'options that can be set at any time': async (net, stage) => {
    const { here } = await connected(net, stage, { noDelay: true, keepAlive: true }, { noDelay: true, timeout: 500 });
    stage.note(here.timeout);
    for (const made of [here.setNoDelay(), here.setKeepAlive(true, 5000), here.ref(), here.unref(), here.pause()])
      stage.note(made === here);
  },
};
