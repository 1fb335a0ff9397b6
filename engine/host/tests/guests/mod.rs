//! Guests as text: modules of WebAssembly written by hand, put together with the parts that all of them need.
//!
//! A file is a module (or a whole component) with a head of comments `;; key: value`:
//! - `expect`: `good`, or what it ends in: `load NAME` (a variant of `PluginError`) or `call REASON`;
//! - `world`: of the contract; `scorer-plugin` where nothing is said;
//! - `output`: the type of what it says it gives; `memory_mb`, `time_ms`, `fuel`: its limits.
//!
//! In a module, `{{describe}}`, `{{memory}}`, `{{realloc}}` and `{{helpers}}` stand for parts that are given here, `{{prelude}}` for all of
//! them, and `{{score}}` and so on for the head of the function that the interface exports.

#![allow(dead_code, unreachable_pub, reason = "programs of several kinds have this module, and each uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a guest that can't be made is a failed test")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use serde_json::Map;
use tierd_model::Type;
use tierd_rules::{
    expr::Expr,
    fileset::{FileId, Location},
    plugin::{
        Accepts, LookupTable, OnPluginError, Plugin, PluginCall, PluginDescription, PluginFile, PluginFunction,
        PluginGrants, PluginId, PluginInput, PluginKind, PluginLimits, PluginSetting, SettingType,
    },
};
use wit_parser::{PackageId, Resolve};

/// Where descriptions stand in a guest's memory; below is room for what it gives, and from [`HEAP`] on for what it is given.
const DESCRIPTION: u32 = 2048;
const HEAP: u32 = 16384;

/// A guest, ready to be loaded.
pub struct Guest {
    pub name: String,
    pub bytes: Vec<u8>,
    pub description: PluginDescription,
    pub limits: PluginLimits,
    /// What it ends in.
    pub expect: String,
}

/// Where guests are, from the folder of any crate of the engine.
fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/tests/guests")
}

/// The guests of a folder, in the order of their names.
pub fn folder(name: &str) -> Vec<Guest> {
    let folder = guests().join(name);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| file(path)).collect()
}

/// The good guest of this name.
pub fn good(name: &str) -> Guest {
    file(&guests().join(format!("good/{name}.wat")))
}

/// The hostile guest of this name.
pub fn hostile(name: &str) -> Guest {
    file(&guests().join(format!("hostile/{name}.wat")))
}

/// The guest that looks texts up in `regions`, of which it needs the column `risk`.
pub fn looking_up() -> Guest {
    let mut description = description("scorer-plugin", None);
    description.functions[0].inputs.truncate(1);
    description.functions[0].inputs[0].accepts = Accepts::Exactly(Type::Text);
    description.lookups =
        vec![LookupTable { name: "regions".to_owned(), columns: vec![("risk".to_owned(), Type::Real)] }];
    described(good("looks_up"), "good/looks_up.wat", description)
}

/// The guest, whose text is at this path, with another description.
pub fn described(guest: Guest, path: &str, description: PluginDescription) -> Guest {
    let bytes = module(&guest.name, &text_of(path), "scorer-plugin", &description);
    Guest { bytes, description, ..guest }
}

fn file(path: &Path) -> Guest {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap();
    from_text(name, &text)
}

pub fn from_text(name: &str, text: &str) -> Guest {
    let said = |key: &str| text.lines().find_map(|line| line.strip_prefix(&format!(";; {key}: "))).map(str::trim);
    let number = |key: &str| said(key).map(|number| number.parse::<u64>().unwrap());
    let default = PluginLimits::default();
    let limits = PluginLimits {
        memory_bytes: number("memory_mb").map_or(default.memory_bytes, |mb| mb << 20),
        time_ms: number("time_ms").unwrap_or(default.time_ms),
        fuel: number("fuel"),
    };
    let world = said("world").unwrap_or("scorer-plugin");
    let description = description(world, said("output"));
    let whole = text.lines().any(|line| line.starts_with("(component") || line.starts_with(";; raw"));
    let bytes = if whole { wat::parse_str(text).unwrap() } else { module(name, text, world, &description) };
    Guest { name: name.to_owned(), bytes, description, limits, expect: said("expect").unwrap_or("good").to_owned() }
}

/// What a guest of this world says of itself: one function `f` of three numbers `a`, `b` and `c`.
pub fn description(world: &str, output: Option<&str>) -> PluginDescription {
    let (kind, usual) = match world {
        "scorer-plugin" => (PluginKind::Scorer, Some(Type::Real)),
        "segmenter-plugin" => (PluginKind::Segmenter, Some(Type::Text)),
        "model-plugin" => (PluginKind::Model, Some(Type::Real)),
        "aggregator-plugin" => (PluginKind::Aggregator, Some(Type::Real)),
        "planner-plugin" => (PluginKind::Planner, None),
        other => panic!("world {other}"),
    };
    let input = |name: &str| PluginInput {
        name: name.to_owned(),
        accepts: Accepts::Number,
        nullable: false,
        doc: String::new(),
    };
    let function = PluginFunction {
        name: "f".to_owned(),
        kind,
        inputs: ["a", "b", "c"].map(input).into(),
        output: output.map(type_of).or(usual),
        settings: Vec::new(),
        doc: "a function".to_owned(),
    };
    PluginDescription {
        name: "Guest".to_owned(),
        version: "1.2.3".to_owned(),
        doc: "for tests".to_owned(),
        functions: vec![function],
        lookups: Vec::new(),
    }
}

fn type_of(said: &str) -> Type {
    match said {
        "integer" => Type::Integer,
        "decimal" => Type::Decimal(2),
        "real" => Type::Real,
        "boolean" => Type::Bool,
        "text" => Type::Text,
        "date" => Type::Date,
        "timestamp" => Type::Timestamp,
        other => panic!("type {other}"),
    }
}

/// A module that keeps to a world of the contract, which a section says of it.
pub fn module(name: &str, text: &str, world: &str, description: &PluginDescription) -> Vec<u8> {
    let (resolve, package) = contract();
    let mut bytes = wat::parse_str(put_together(text, description)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let world = resolve.select_world(&[*package], Some(world)).unwrap();
    wit_component::embed_component_metadata(&mut bytes, resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    bytes
}

/// The contract as it is published: what the host has of it in Rust is held to this by every guest.
fn contract() -> &'static (Resolve, PackageId) {
    static CONTRACT: OnceLock<(Resolve, PackageId)> = OnceLock::new();
    CONTRACT.get_or_init(|| {
        let mut resolve = Resolve::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/wit/v1");
        let (package, _) = resolve.push_dir(folder).unwrap();
        (resolve, package)
    })
}

const CALL: &str = "(param $function i32) (param $function_bytes i32) (param $as_of i64) (param $today i32) \
                    (param $config i32) (param $config_bytes i32)";
const ROWS: &str = "(param $rows i32) (param $inputs i32) (param $count i32)";

fn put_together(text: &str, description: &PluginDescription) -> String {
    let head = |interface: &str, function: &str, params: &str| {
        format!("func (export \"tierd:plugin/{interface}@1.0.0#{function}\") {CALL} {params} (result i32)")
    };
    let model = "(param $model i32) (param $model_bytes i32)";
    let parts = "(param $parts i32) (param $count i32)";
    let facts = "(param $carried i32) (param $carried_bytes i32) (param $rows_of i32) (param $subjects i32) \
                 (param $times i32) (param $rows i32) (param $inputs i32) (param $count i32) (param $more i32)";
    text.replace("{{prelude}}", "{{memory}} {{realloc}} {{describe}} {{helpers}}")
        .replace("{{memory}}", "(memory (export \"memory\") 3)")
        .replace("{{realloc}}", REALLOC)
        .replace("{{describe}}", &describe(description))
        .replace("{{helpers}}", HELPERS)
        .replace("{{heap}}", &HEAP.to_string())
        .replace("{{score}}", &head("scorer", "score", ROWS))
        .replace("{{segment}}", &head("segmenter", "segment", ROWS))
        .replace("{{plan}}", &head("planner", "plan", ROWS))
        .replace("{{part}}", &head("model", "part", &format!("{model} {ROWS}")))
        .replace("{{fit}}", &head("model", "fit", &format!("{model} {parts}")))
        .replace("{{apply}}", &head("model", "apply", &format!("{model} {ROWS}")))
        .replace("{{aggregate}}", &head("aggregator", "aggregate", facts))
}

/// Memory is handed out from the heap upwards and never taken back: an instance lives for one call.
const REALLOC: &str = r#"
  (global $next (mut i32) (i32.const {{heap}}))
  (func $alloc (param $bytes i32) (result i32)
    (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (local.get $bytes)))
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_bytes i32) (param $align i32) (param $bytes i32) (result i32)
    (local $at i32) (local $pages i32)
    (local.set $at (i32.and
      (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $bytes)))
    (local.set $pages (i32.sub
      (i32.shr_u (i32.add (global.get $next) (i32.const 65535)) (i32.const 16))
      (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then unreachable))))
    (local.get $at))"#;

/// `$ok`: a column of values of the variant's case `$case` at `$at`; all rows have a value. `$values`: where an input's values are.
/// `$fail`: a failure with this message.
const HELPERS: &str = r#"
  (func $ok (param $case i32) (param $at i32) (param $count i32) (result i32)
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store8 (i32.const 68) (local.get $case))
    (i32.store (i32.const 72) (local.get $at))
    (i32.store (i32.const 76) (local.get $count))
    (i32.store8 (i32.const 88) (i32.const 0))
    (i32.const 64))
  (func $values (param $inputs i32) (param $input i32) (result i32)
    (i32.load offset=4 (i32.add (local.get $inputs) (i32.shl (local.get $input) (i32.const 5)))))
  (func $fail (param $at i32) (param $bytes i32) (result i32)
    (i32.store8 (i32.const 64) (i32.const 1))
    (i32.store8 (i32.const 68) (i32.const 0))
    (i32.store (i32.const 76) (local.get $at))
    (i32.store (i32.const 80) (local.get $bytes))
    (i32.const 64))"#;

/// `describe`, and the data that it gives.
fn describe(description: &PluginDescription) -> String {
    let bytes: String = Data::of(description).iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!(
        r#"(data (i32.const {DESCRIPTION}) "{bytes}")
           (func (export "tierd:plugin/plugin@1.0.0#describe") (result i32) (i32.const {DESCRIPTION}))"#
    )
}

/// A description as it lies in a guest's memory.
struct Data {
    bytes: Vec<u8>,
}

impl Data {
    fn of(said: &PluginDescription) -> Vec<u8> {
        let mut data = Data { bytes: vec![0; 40] };
        data.text(0, &said.name);
        data.text(8, &said.version);
        data.text(16, &said.doc);
        let functions = data.list(24, said.functions.len(), 40);
        for (at, function) in functions.zip(&said.functions) {
            data.function(at, function);
        }
        let tables = data.list(32, said.lookups.len(), 16);
        for (at, table) in tables.zip(&said.lookups) {
            data.table(at, table);
        }
        assert!(data.bytes.len() as u32 <= HEAP - DESCRIPTION, "a description too large for a guest of tests");
        data.bytes
    }

    fn function(&mut self, at: usize, function: &PluginFunction) {
        self.text(at, &function.name);
        self.bytes[at + 8] = function.kind as u8;
        let inputs = self.list(at + 12, function.inputs.len(), 20);
        for (at, input) in inputs.zip(&function.inputs) {
            self.text(at, &input.name);
            match input.accepts {
                Accepts::Exactly(ty) => self.ty(at + 9, ty),
                Accepts::Number => self.bytes[at + 8] = 1,
            }
            self.bytes[at + 11] = u8::from(input.nullable);
            self.text(at + 12, &input.doc);
        }
        if let Some(ty) = function.output {
            self.bytes[at + 20] = 1;
            self.ty(at + 21, ty);
        }
        let settings = self.list(at + 24, function.settings.len(), 20);
        for (at, PluginSetting { name, ty, required, doc }) in settings.zip(&function.settings) {
            self.text(at, name);
            self.bytes[at + 8] = match ty {
                SettingType::Boolean => 0,
                SettingType::Integer => 1,
                SettingType::Number => 2,
                SettingType::Text => 3,
                SettingType::Any => 4,
            };
            self.bytes[at + 9] = u8::from(*required);
            self.text(at + 12, doc);
        }
        self.text(at + 32, &function.doc);
    }

    fn table(&mut self, at: usize, table: &LookupTable) {
        self.text(at, &table.name);
        let columns = self.list(at + 8, table.columns.len(), 12);
        for (at, (name, ty)) in columns.zip(&table.columns) {
            self.text(at, name);
            self.ty(at + 8, *ty);
        }
    }

    fn ty(&mut self, at: usize, ty: Type) {
        let (case, scale) = match ty {
            Type::Integer => (0, 0),
            Type::Decimal(scale) => (1, scale),
            Type::Real => (2, 0),
            Type::Bool => (3, 0),
            Type::Text => (4, 0),
            Type::Date => (5, 0),
            Type::Timestamp => (6, 0),
        };
        self.bytes[at] = case;
        self.bytes[at + 1] = scale;
    }

    fn text(&mut self, at: usize, text: &str) {
        let begin = self.pointer(at, text.len());
        self.bytes.resize(begin, 0);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Room for so many items of so many bytes, and where they are.
    fn list(&mut self, at: usize, items: usize, bytes: usize) -> impl Iterator<Item = usize> + use<> {
        let begin = self.pointer(at, items);
        self.bytes.resize(begin + items * bytes, 0);
        (0..items).map(move |item| begin + item * bytes)
    }

    /// Writes where the end of the data is, aligned, and how many items are to follow there.
    fn pointer(&mut self, at: usize, items: usize) -> usize {
        let begin = self.bytes.len().next_multiple_of(4);
        self.bytes[at..at + 4].copy_from_slice(&(DESCRIPTION + begin as u32).to_le_bytes());
        self.bytes[at + 4..at + 8].copy_from_slice(&(items as u32).to_le_bytes());
        begin
    }
}

impl Guest {
    /// As a rule set has it.
    pub fn plugin(&self) -> Plugin {
        Plugin {
            name: self.name.clone(),
            file: PluginFile::new(format!("rules/{}.wasm", self.name), self.bytes.clone()),
            description: Arc::new(self.description.clone()),
            limits: self.limits,
            grants: PluginGrants::default(),
        }
    }

    /// A call of its function.
    pub fn call(&self) -> PluginCall {
        let function = &self.description.functions[0];
        PluginCall {
            plugin: PluginId(0),
            function: function.name.clone(),
            kind: function.kind,
            inputs: Vec::<Expr>::new(),
            required: Vec::new(),
            config: Map::new(),
            on_error: OnPluginError::Fail,
            at: location(),
        }
    }
}

fn location() -> Location {
    Location { file: FileId(0), range: 0..0 }
}

/// A plugin of another program that exports only this, as a whole component.
pub fn text_of(path: &str) -> String {
    fs::read_to_string(guests().join(path)).unwrap()
}

/// A scorer that a compiler can't finish: every value of thousands is carried into every loop of thousands, each inside the one before.
/// About a hundred kilobytes.
pub fn compile_bomb() -> Vec<u8> {
    const LOOPS: usize = 6000;
    const VALUES: usize = 8000;
    let mut text = String::from("(module {{prelude}} ({{score}}\n(local");
    text.push_str(&" i32".repeat(VALUES));
    text.push_str(")\n");
    text.push_str(&"loop\n".repeat(LOOPS));
    // Parameters are 0 to 8.
    for value in 9..VALUES + 9 {
        text.push_str(&format!("local.get {value} local.get 6 i32.add local.set {value}\n"));
    }
    text.push_str("local.get 9 br_table");
    (0..LOOPS).for_each(|depth| text.push_str(&format!(" {depth}")));
    text.push('\n');
    text.push_str(&"end\n".repeat(LOOPS));
    text.push_str("unreachable))");
    module("bomb", &text, "scorer-plugin", &description("scorer-plugin", None))
}
