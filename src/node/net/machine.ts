/** Node's own `node:net` and `node:tls`, as they were when this was loaded: `tunstack/register` puts others in their places. */
import net from 'node:net';
import tls from 'node:tls';

export const machineNet: typeof net = { ...net };
export const machineTls: typeof tls = { ...tls };
