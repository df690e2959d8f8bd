/** What icmp.test.ts plays in a network namespace of its own. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { OpError } from '../../src/net/op-error.ts';
import { type GroundOptions, OURS, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

/** @returns what ping said */
export function pings(options: GroundOptions, size: number) {
  return onGround(options, async (ground) => {
    const child = spawn('ping', ['-c', '3', '-i', '0.2', '-W', '2', '-s', String(size), OURS]);
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
    });
    await ground.within(8000, 'ping', once(child, 'close'));
    return { said };
  });
}

/** A connected UDP socket of the kernel's learns that nobody listens. */
export function closedUdp(offload: boolean) {
  return onGround({ offload }, async (ground) => {
    const socket = createSocket('udp4');
    socket.connect(9, OURS);
    await once(socket, 'connect');
    socket.send('anybody there?');
    const [error] = (await ground.within(2000, 'the refusal', once(socket, 'error'))) as [NodeJS.ErrnoException];
    socket.close();
    return { code: error.code };
  });
}

/** Nobody listens, on either side. */
export function closedTcp(offload: boolean) {
  return onGround({ offload }, async (ground) => {
    const socket = connect(9, OURS);
    const [error] = (await ground.within(2000, 'the refusal', once(socket, 'error'))) as [NodeJS.ErrnoException];
    const ours = await ground.host.dial('tcp', '10.9.0.1:9').then(
      () => 'connected',
      (refusal: OpError) => refusal.message,
    );
    return { code: error.code, ours };
  });
}
