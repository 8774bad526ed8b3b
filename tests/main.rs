//! The integration tests: the real binary, a real Postgres, the S3 protocol over HTTP.
//!
//! One binary, so that the suite links once. Each module asks one question:

// what the tests stand on: clusters, S3, the fault proxy, the binary
mod support;

// does the night do what the docs say, on generated and on CMS's own files?
mod pipeline;

// killed anywhere: does live stay, and does the next night go well?
mod faults;

// does the swap change one thing at one moment, or nothing?
mod swap;

// does a rollback hold, and is every exception a person's word with a reason?
mod release;
// is what is sealed what is there, and is a build that somebody touched never live?
mod sealed;

// does kiln touch only what it made, and is nothing that is left over in a night's way?
mod leftovers;

// does every order of steps and crashes keep what is promised, and is every rule needed for it?
mod model;

// do many processes make the build that one makes, whoever of them dies?
mod workers;

// is a night the same whatever is set on its server, role and database, and what lies before it?
mod surroundings;
// is a release that collapsed, or one that goes back in time, refused before anyone reads it?
mod gates;

// is unchanged work not done again, and what is copied the same to the row?
mod reuse;

// are rows made as the kiln before made them, or under another format?
mod rows;

// is a part of a build closed, the same everywhere, and never taken for the whole?
mod subset;

// does what must hold of any input hold of those that were found by fuzzing?
mod fuzzed;

// do the private servers start, share, stop, and speak S3 as S3 does?
mod local;

// is everything that is wrong with an input, a server or a spec refused, and said?
mod bad_input;

// is every mistake in sql/ and sources/ named, and is a new database data alone?
mod schema;

// can readers only read, and can no name reach SQL as anything but a name?
mod roles;

// is the command line what its help says, and do secrets and values stay inside?
mod cli;

// does the dictionary follow sql/ and sources/, and does its page show all but what is of people?
mod docs;

// does every link, path, command and setting in the docs lead to something that exists?
mod book;

// do the sources keep the style that they promise?
mod tidy;

// does a broken, stalled, replaced or lying store end in the same rows or in a named error?
mod fetch;

// is Postgres's identity verified, and nothing ever said in plain text?
mod tls;

// does an S3 server that no one here wrote say the same as kiln's own?
mod s3;

// does a drafted source load the file that it was drafted from, and does a trial say what is wrong?
mod sniff;
// does every source load a release that a person can read, to the last field?
mod cases;

// is what a year changes read, or named before anything is promoted?
mod years;

// does anything of a person leave the loader, but a hash?
mod personal;

// is what a night needs said before its rows, and was it right?
mod forecast;

// does the plan search find what the obvious query finds?
mod search;
// does generated data have the size, the bytes and the nights that it says?
mod synth;
