// What dockerode's streams give and how they end, to one line of JSON each: the name,
// the payload's size and its beginning, which event ended it, and how many
// milliseconds after the engine said that the process had ended. A stream that is
// still open LIMIT milliseconds after that is "open".
'use strict';
const Docker = require('dockerode');

const [pipe, image, limit] = process.argv.slice(2);
const docker = new Docker({ socketPath: '//./pipe/' + pipe });
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

// payload takes the frames of a stream without a terminal apart.
function payload(bytes, tty) {
  if (tty) return bytes.toString();
  let text = '';
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at + 4);
    text += bytes.subarray(at + 8, at + 8 + size).toString();
    at += 8 + size;
  }
  return text;
}

// follow tells of a stream whose process is over when the promise is kept.
async function follow(name, stream, over, tty) {
  const pieces = [];
  let how, at;
  const ended = new Promise(resolve => {
    for (const event of ['end', 'close', 'error']) {
      stream.once(event, () => { if (!how) { how = event; at = Date.now(); } resolve(); });
    }
  });
  stream.on('data', piece => pieces.push(piece));
  await over;
  const done = Date.now();
  await Promise.race([ended, pause(Number(limit))]);
  const text = payload(Buffer.concat(pieces), tty);
  console.log(JSON.stringify({ name, how: how || 'open', late: (at || Date.now()) - done, size: text.length, text: text.slice(0, 40) }));
  stream.destroy();
}

async function execOver(exec) {
  while ((await exec.inspect()).Running) await pause(20);
}

async function execs(container) {
  for (const [name, cmd, start, more] of [
    ['exec hijacked', ['echo', 'said'], { hijack: true }],
    ['exec hijacked with input', ['head', '-n', '1'], { hijack: true, stdin: true }, { input: 'said\n' }],
    ['exec without a change of protocol', ['echo', 'said'], {}],
    ['exec with a terminal', ['echo', 'said'], { hijack: true, Tty: true }, { tty: true }],
    ['exec with much output', ['seq', '1', '200000'], { hijack: true }],
    ['exec after a pause', ['sh', '-c', 'sleep 1; echo said'], { hijack: true }],
    ['exec that fails', ['sh', '-c', 'echo said >&2; exit 3'], { hijack: true }],
    ['exec that says nothing', ['true'], { hijack: true }],
  ]) {
    const { input, tty } = more || {};
    const exec = await container.exec({ Cmd: cmd, AttachStdout: true, AttachStderr: true, AttachStdin: !!input, Tty: !!tty });
    const stream = await exec.start(start);
    if (input) stream.write(input);
    await follow(name, stream, execOver(exec), tty);
  }
}

async function attached(name, options, tty) {
  const container = await docker.createContainer({ Image: image, Cmd: ['sh', '-c', 'sleep 1; echo said'], Tty: !!tty, HostConfig: { NetworkMode: 'none' } });
  const stream = options.logs
    ? (await container.start(), await container.logs({ follow: true, stdout: true, stderr: true }))
    : await container.attach({ stream: true, stdout: true, stderr: true, ...options });
  const over = container.wait({ condition: options.logs ? 'not-running' : 'next-exit' });
  if (!options.logs) await container.start();
  await follow(name, stream, over, tty);
  await container.remove({ force: true });
}

async function main() {
  const container = await docker.createContainer({ Image: image, Cmd: ['sleep', '600'], HostConfig: { NetworkMode: 'none' } });
  await container.start();
  try {
    await execs(container);
    await attached('attach hijacked', { hijack: true });
    await attached('attach without a change of protocol', {});
    await attached('attach with a terminal', { hijack: true }, true);
    await attached('logs', { logs: true });
  } finally {
    await container.remove({ force: true });
  }
}

main().then(() => process.exit(0), err => { console.log(JSON.stringify({ name: 'failed', text: String(err.stack) })); process.exit(1); });
