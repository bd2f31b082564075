#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rolecall_fuzz::try_on(env!("CARGO_BIN_NAME"), data));
