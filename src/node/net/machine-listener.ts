/** Listening on what is the machine's and no TCP of ours: paths, file descriptors, handles. Node's own server does it. */
import type { Server as MachineServer, Socket as MachineSocket } from 'node:net';
import type { AddressInfo } from './end-name.ts';
import { machineNet } from './machine.ts';
import type { Server } from './server.ts';

export class MachineListener {
  readonly #server: Server;
  readonly #machine: MachineServer;

  /** @param args of `listen`, without the callback @throws as Node's `listen` */
  constructor(server: Server, args: readonly unknown[], failed: () => void) {
    const { allowHalfOpen, pauseOnConnect, highWaterMark } = server;
    this.#server = server;
    this.#machine = machineNet.createServer({ allowHalfOpen, pauseOnConnect, highWaterMark });
    this.#machine.on('connection', (socket: MachineSocket) => this.#connected(socket));
    this.#machine.on('listening', () => server.emit('listening'));
    this.#machine.on('error', (error) => {
      if (!this.#machine.listening) failed();
      server.emit('error', error);
    });
    (this.#machine.listen as (...all: readonly unknown[]) => unknown)(...args);
  }

  get listening(): boolean {
    return this.#machine.listening;
  }

  #connected(socket: MachineSocket): void {
    const server = this.#server;
    if (server.maxConnections != null && server._connections >= server.maxConnections) {
      server.emit('drop');
      socket.destroy();
      return;
    }
    server._connections++;
    Object.assign(socket, { server });
    socket.once('close', () => server._gone());
    server.emit('connection', socket);
  }

  name(): AddressInfo | string | undefined {
    return (this.#machine.address() as AddressInfo | string | null) ?? undefined;
  }

  close(): void {
    this.#machine.close();
  }

  ref(): void {
    this.#machine.ref();
  }

  unref(): void {
    this.#machine.unref();
  }
}
