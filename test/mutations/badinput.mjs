/** Mostly what test/net/bad-input.test.ts holds: run with `--list badinput --tests '{net/bad*,link/*,socket/*,stack/*}.test.js'`. */
const change =
  (file) =>
  (name, find, replace = '') => ({ file, name: `bad input: ${name}`, find, replace });
const options = change('arguments');
const conn = change('net/conn');
const limits = change('net/limits');
const interfaces = change('stack/interface');
const guard = change('link/guarded');
const source = change('stack/source-address');
const endpoint = change('udp/endpoint');
const memory = change('socket/memory');
const resolver = change('net/resolver');

export default [
  options('options that do not exist', 'if (unknown === undefined)', 'if (true)'),
  options('a signal in place of options', '!isBag(options, names)', 'false'),
  options('memory that was given away', 'if (bytes.length > 0)', 'if (true)'),
  conn('waiting with a signal that is none', '?? wrongSignal(caller, options.signal)', ''),
  limits('a time that is over since ever', 'Math.max(deadline, clock.now())', 'deadline'),
  resolver('lookups with a signal that is none', 'if (wrong !== undefined)', 'if (false)'),
  interfaces('a link that is closed by hand', 'if (!(error instanceof LinkClosedError))', 'if (true)'),
  interfaces('who is told of a link that was closed', 'this.#owner.linkClosed(this, this.#reason);', ''),
  interfaces('the way to the carrier back', 'this.#lost = [];\n        this.#owner', 'this.#owner'),
  guard('a link beneath that is closed by hand', 'if (!(error instanceof LinkClosedError))', 'if (true)'),
  source('addresses of others as sources', 'interfaces.some((one) => one.hasLost(source))', 'false'),
  source('addresses of others as sources, IPv4', 'route.interface.sources', 'route.interface.addresses'),
  source('addresses of others as sources, IPv6', 'of over.sources', 'of over.addresses'),
  endpoint('errors take no room', 'if (this.memory + memory >= this.rcvBuf)', 'if (false)'),
  endpoint('errors that were read keep their room', 'this.#errorMemory -= error?.memory ?? 0;', ''),
  memory('what is no memory', 'return bytes instanceof Uint8Array && !isDetached(bytes);', 'return true;'),
  memory('memory that was given away', '&& !isDetached(bytes)', ''),
  memory('addresses that are none', '&& at.address instanceof IpAddress', ''),
];
