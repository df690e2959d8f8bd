/** A program over a TUN device of a network namespace; its peer is this process, on the kernel's net. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export const moduleUrl = import.meta.url;

const REGISTER = new URL('../../src/register.js', import.meta.url).href;
const ENVIRONMENT = { NODE_OPTIONS: '', TUNSTACK_ADDRESS: '10.9.0.2/24', TUNSTACK_PEER: '10.9.0.1/24' };

export interface Left {
  /** Its exit status, or the signal that ended it. */
  readonly status: number | string;
  /** What the peer read, its first words and its length, and how that ended. */
  readonly read: string;
  readonly length: number;
  readonly end: string;
}

/** A program that ends right after it has written more than may go out at once. */
export async function exits(): Promise<Left[]> {
  return [await left('process.exit(3)'), await left('process.kill(process.pid, "SIGTERM")')];
}

async function left(how: string): Promise<Left> {
  const server = createServer().listen(7001, '0.0.0.0');
  const program = `const socket = require('net').connect(7001, '10.9.0.1', () => {
    socket.write('last words'.padEnd(50_000, '.'));
    ${how};
  })`;
  const child = spawn(process.execPath, ['--import', REGISTER, '-e', program], {
    env: { ...process.env, ...ENVIRONMENT },
    stdio: 'inherit',
  });
  const [[socket], [code, signal]] = (await Promise.all([once(server, 'connection'), once(child, 'exit')])) as [
    [Socket],
    [number | null, string],
  ];
  let read = '';
  socket.on('data', (bytes) => {
    read += bytes;
  });
  const end = await Promise.race([
    once(socket, 'end').then(() => 'end'),
    once(socket, 'error').then(([error]) => String(error)),
    new Promise<string>((resolve) => setTimeout(resolve, 5000, 'neither end nor error').unref()),
  ]);
  socket.destroy();
  server.close();
  return { status: code ?? signal, read: read.slice(0, 10), length: read.length, end };
}
