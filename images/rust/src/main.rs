//! A small HTTP server that greets, and stops on SIGTERM.

use signal_hook::{consts::{SIGINT, SIGTERM}, iterator::Signals};
use std::{env, error::Error, sync::Arc, thread};
use tiny_http::{Header, Response, Server};

const WORKERS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let server = Arc::new(Server::http(("0.0.0.0", port)).map_err(|error| error.to_string())?);
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    println!("listening on {port}");

    for _ in 0..WORKERS {
        let server = Arc::clone(&server);
        thread::spawn(move || {
            for request in server.incoming_requests() {
                let text = format!("Hello from Rust! You asked for {}\n", request.url());
                let header = Header::from_bytes("Content-Type", "text/plain; charset=utf-8").expect("a valid header");
                // Fails when the client has left, which is its right.
                let _ = request.respond(Response::from_string(text).with_header(header));
            }
        });
    }
    signals.forever().next();
    Ok(())
}
