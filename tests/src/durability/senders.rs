//! Devices that send as fast as they are answered, and send again what was not.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use staffetta_protocol::wire::frame::ToRelay;
use staffetta_protocol::wire::ids::Lane;

use super::Dice;
use super::oracle::SENDER_SHIFT;
use super::site::Process;
use super::team::{Device, NotStored, ONLY_SEND, put};

/// Devices and what each still has to send.
pub struct Senders(Vec<Sender>);

struct Sender {
    device: Arc<Device>,
    dice: Dice,
    max_batch: u64,
    next: u64,
    /// Sent and not acknowledged.
    outbox: Vec<u64>,
}

/// An ACK as its device saw it.
pub struct Acked {
    /// The cells.
    pub numbers: Vec<u64>,
    /// Their seqs.
    pub seqs: Vec<u64>,
    /// What the mark was when it came.
    pub mark: u64,
}

/// Gives the moment of an ACK.
pub type Mark = Arc<dyn Fn() -> u64 + Send + Sync>;

impl Senders {
    /// Of these devices, with up to `max_batch` cells in one PUT.
    pub fn new(devices: &[Arc<Device>], max_batch: u64, seed: u64) -> Self {
        let sender = |(place, device): (usize, &Arc<Device>)| Sender {
            device: device.clone(),
            dice: Dice::new(seed + place as u64),
            max_batch,
            next: (place as u64) << SENDER_SHIFT,
            outbox: Vec::new(),
        };
        Self(devices.iter().enumerate().map(sender).collect())
    }

    /// Lets all of them send to `process` until it is gone, which `until` sees to: it is told of
    /// every ACK and says when to end it with `signal`. With `forget` they say first that they have
    /// seen all. Returns every ACK.
    pub async fn run(
        &mut self,
        process: &mut Process,
        signal: &str,
        forget: bool,
        mark: &Mark,
        mut until: impl FnMut(u64) -> bool,
    ) -> anyhow::Result<Vec<Acked>> {
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for mut sender in std::mem::take(&mut self.0) {
            let (tell, mark, address) = (tell.clone(), mark.clone(), process.address);
            tasks.spawn(async move {
                if let Ok((mut link, welcome)) = sender.device.link(address, ONLY_SEND).await {
                    if forget {
                        let seen = ToRelay::Seen { lane: Lane(0), seq: welcome.head };
                        let _ = link.send(&seen);
                    }
                    while let Some(acked) = sender.once(&mut link, &mark).await {
                        let _ = tell.send(acked);
                    }
                }
                sender
            });
        }
        drop(tell);
        let mut acks = Vec::new();
        let mut is_over = false;
        while let Some(acked) = told.recv().await {
            acks.push(acked);
            if !is_over && until(acks.len() as u64) {
                is_over = true;
                process.end(signal)?;
            }
        }
        process.end(signal)?;
        while let Some(sender) = tasks.join_next().await {
            self.0.push(sender?);
        }
        self.0.sort_by_key(|sender| sender.next);
        Ok(acks)
    }
}

impl Sender {
    /// One PUT; `None` when the connection broke.
    async fn once(&mut self, link: &mut crate::load::link::Link, mark: &Mark) -> Option<Acked> {
        if self.outbox.is_empty() {
            let count = 1 + self.dice.below(self.max_batch);
            self.outbox.extend(self.next..self.next + count);
            self.next += count;
        }
        loop {
            match put(link, &self.outbox, &mut false).await {
                Ok(seqs) => {
                    let numbers = std::mem::take(&mut self.outbox);
                    return Some(Acked { numbers, seqs, mark: mark() });
                }
                // Not now: again.
                Err(NotStored::Refused(_)) => {}
                Err(NotStored::Broken) => return None,
            }
        }
    }
}
