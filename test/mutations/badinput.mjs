/** What test/net/bad-input.test.ts holds: run with `--list badinput --tests 'net/bad-input.test.js'`. */
const change =
  (file) =>
  (name, find, replace = '') => ({ file, name: `bad input: ${name}`, find, replace });
const options = change('arguments');
const conn = change('net/conn');
const limits = change('net/limits');
const resolver = change('net/resolver');

export default [
  options('options that do not exist', 'if (unknown === undefined)', 'if (true)'),
  options('a signal in place of options', '!isBag(options, names)', 'false'),
  options('an object that is no text', 'text = String(value);', 'return String(value);'),
  options('memory that was given away', 'if (bytes.length > 0)', 'if (true)'),
  conn('waiting with a signal that is none', '?? wrongSignal(caller, options.signal)', ''),
  limits('a time that is over since ever', 'Math.max(deadline, clock.now())', 'deadline'),
  resolver('lookups with a signal that is none', 'if (wrong !== undefined)', 'if (false)'),
];
