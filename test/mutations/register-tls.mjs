/** TLS and http2 over tunstack/register. `node scripts/mutate.mjs --list register-tls --tests 'node/register.test.js'` */
const register = (file, name, find, replace = '') => ({ file: `node/register/${file}`, name, find, replace });

export default [
  register('redirect', 'arguments are normalized by Node', "  '_normalizeArgs',\n"),
  register(
    'secure-sockets',
    'a TLS socket without a stream is on the machine',
    "if (handle || this._tlsOptions['pipe'])",
    'if (true)',
  ),
  register(
    'secure-sockets',
    'a TLS socket outlives the socket under it',
    "socket.once('close', () => this.destroy());",
  ),
  register('secure-sockets', 'what TLS has to say after the end of the peer is lost', 'socket.allowHalfOpen = true;'),
  register('secure-sockets', 'an error of connecting has no close of its own', 'this.destroy(error)', 'this.destroy()'),
  register(
    'secure-sockets',
    'a TLS socket says nothing of attempts',
    'for (const name of EVENTS)',
    'for (const name of [])',
  ),
  register(
    'wrapped-writes',
    'an answer is under way until the next turn',
    'if (handle !== null && stream.writableLength === 0)',
    'if (false)',
  ),
  register('wrapped', 'http2 takes a socket that connects for a connected one', 'isToConnect(under)', 'false'),
  register('wrapped', 'TLS sockets keep the process alive', "'ref', 'unref'];", "'ref'];"),
];
