/** What `tunstack/register` is told, and what it leaves: `--tests 'node/register*.test.js'`. */
const variables = (name, find, replace = '') => ({ file: 'node/register/variables', name, find, replace });
const signal = (name, find, replace = '') => ({ file: 'node/register/last-signal', name, find, replace });

export default [
  variables('a misspelt variable is overlooked', 'checkNames(environment) {', 'checkNames() { return;'),
  variables('what acts on a device may be without one', 'if (lonely === undefined)', 'if (true)'),
  variables('the kernel may have an address of the host', 'if (same !== undefined)', 'if (false)'),
  variables('the gateway may be the host', 'address.equals(gateway)', 'false'),
  variables('the peer is no gateway', 'others.map((one) => one.address.toString())', '[]'),
  variables('any MTU is taken', 'mtu < 68 || mtu > 65_535', 'false'),
  signal('ours stays beside the program', 'if (name === signal && listener !== last)', 'if (false)'),
  signal('ours does not come back', '!ending && program.listenerCount(signal) === 0', 'false'),
  signal('the signal does not end the program', 'program.kill(program.pid, signal);'),
  signal('nobody is told', 'leave();'),
  {
    file: 'stack/stack',
    name: 'last words end with the first window',
    find: 'if (this.idle || !this.network.receiveNow())',
    replace: 'if (true)',
  },
  {
    file: 'link/tun-link',
    name: 'nothing is read when the event loop has ended',
    find: 'this.#failure !== undefined || this.#receiver === undefined',
    replace: 'true',
  },
];
