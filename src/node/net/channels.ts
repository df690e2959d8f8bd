/** Node's diagnostics channels of net: who subscribes to them sees our sockets and servers too. */
import { channel, tracingChannel } from 'node:diagnostics_channel';

/** `{ socket }`: by `net.connect`, and by a server. */
export const clientSockets = channel('net.client.socket');
export const serverSockets = channel('net.server.socket');
/** `{ server, options }` as it begins, `{ server }` as it listens, `{ server, error }`. */
export const listens = tracingChannel('net.server.listen');
