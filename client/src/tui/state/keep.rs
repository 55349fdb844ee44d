//! What outlives the screen: drafts, the room that was open, and what a person has set. It lies in
//! the profile's database, sealed like everything there.

use serde_json::{Map, Value, json};

use super::attention::Tells;
use super::{About, Ask, Effect, State, Theme, call};

impl State {
    /// What is to be kept now, if it is not kept already.
    pub(super) fn keep(&mut self) -> Vec<Effect> {
        if !self.restored {
            return Vec::new();
        }
        let mut drafts: Map<String, Value> =
            self.drafts.iter().map(|(key, text)| (key.clone(), text.clone().into())).collect();
        let here = self.compose.line.text();
        if !here.is_empty() && !matches!(self.compose.about, About::Edit(_)) {
            drafts.insert(self.current.clone(), here.into());
        }
        let now = json!({
            "drafts": drafts,
            "room": self.current,
            "muted": self.muted,
            "theme": self.theme.name(),
            "mouse": self.mouse,
            "bell": self.bell,
            "notify": self.tells.name(),
        });
        if now == self.kept {
            return Vec::new();
        }
        self.kept = now.clone();
        vec![call(Ask::Keep, "screen", json!({"put": now}))]
    }

    /// The answer of `screen`: what was kept.
    pub(super) fn restore(&mut self, answer: &Value) -> Vec<Effect> {
        let kept = answer.get("kept").cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for (key, draft) in kept.get("drafts").and_then(Value::as_object).into_iter().flatten() {
            self.drafts.entry(key.clone()).or_insert_with(|| text(draft));
        }
        let muted = kept.get("muted").and_then(Value::as_array);
        self.muted = muted.into_iter().flatten().map(text).collect();
        let is =
            |field: &str, unless: bool| kept.get(field).and_then(Value::as_bool).unwrap_or(unless);
        (self.mouse, self.bell) = (is("mouse", false), is("bell", true));
        self.tells = Tells::named(&kept.get("notify").map(text).unwrap_or_default());
        let theme = kept.get("theme").map(text).unwrap_or_default();
        let known = Theme::ALL.iter().find(|(_, name)| *name == theme);
        if let (Some((theme, _)), false) = (known, self.setup.no_colour) {
            self.theme = *theme;
        }
        self.kept = kept;
        self.restored = true;
        let mut effects = self.settle();
        if self.mouse {
            effects.push(Effect::Mouse(true));
        }
        effects
    }
}
