//! Runs the rathole library as its own program does, on tokio's default threads, until it is killed.

use clap::Parser;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_stop, stopped) = tokio::sync::broadcast::channel(1);
    Ok(rathole::run(rathole::Cli::parse(), stopped).await?)
}
