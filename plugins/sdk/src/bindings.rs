//! What wit-bindgen makes of the contract: the types once, and one world for each interface.
//!
//! One world each, so that a plugin exports what it has and nothing else: a scorer without segmenters doesn't pretend to have any.

#![allow(missing_docs, reason = "generated; the contract says what they are")]

/// Types and the one import.
pub mod imports {
    wit_bindgen::generate!({
        path: "../wit/v1",
        inline: "package tierd:sdk; world imports { import tierd:plugin/lookups@1.0.0; }",
        world: "tierd:sdk/imports",
        generate_all,
        additional_derives: [PartialEq],
    });
}

pub use imports::tierd::plugin::{lookups, types};

/// Exporting `plugin`.
pub mod plugin {
    wit_bindgen::generate!({
        path: "../wit/v1",
        inline: "package tierd:sdk; world plugin { export tierd:plugin/plugin@1.0.0; }",
        world: "tierd:sdk/plugin",
        with: { "tierd:plugin/types@1.0.0": crate::bindings::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "__export_plugin",
        default_bindings_module: "tierd_plugin::bindings::plugin",
    });
    pub use __export_plugin as export;
}

/// Exporting `scorer`.
pub mod scorer {
    wit_bindgen::generate!({
        path: "../wit/v1",
        inline: "package tierd:sdk; world scorer { export tierd:plugin/scorer@1.0.0; }",
        world: "tierd:sdk/scorer",
        with: { "tierd:plugin/types@1.0.0": crate::bindings::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "__export_scorer",
        default_bindings_module: "tierd_plugin::bindings::scorer",
    });
    pub use __export_scorer as export;
}

/// Exporting `segmenter`.
pub mod segmenter {
    wit_bindgen::generate!({
        path: "../wit/v1",
        inline: "package tierd:sdk; world segmenter { export tierd:plugin/segmenter@1.0.0; }",
        world: "tierd:sdk/segmenter",
        with: { "tierd:plugin/types@1.0.0": crate::bindings::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "__export_segmenter",
        default_bindings_module: "tierd_plugin::bindings::segmenter",
    });
    pub use __export_segmenter as export;
}

/// Exporting `model`.
pub mod model {
    wit_bindgen::generate!({
        path: "../wit/v1",
        inline: "package tierd:sdk; world model { export tierd:plugin/model@1.0.0; }",
        world: "tierd:sdk/model",
        with: { "tierd:plugin/types@1.0.0": crate::bindings::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "__export_model",
        default_bindings_module: "tierd_plugin::bindings::model",
    });
    pub use __export_model as export;
}

/// Exporting `aggregator`.
pub mod aggregator {
    wit_bindgen::generate!({
        path: "../wit/v1",
        inline: "package tierd:sdk; world aggregator { export tierd:plugin/aggregator@1.0.0; }",
        world: "tierd:sdk/aggregator",
        with: { "tierd:plugin/types@1.0.0": crate::bindings::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "__export_aggregator",
        default_bindings_module: "tierd_plugin::bindings::aggregator",
    });
    pub use __export_aggregator as export;
}

/// Exporting `planner`.
pub mod planner {
    wit_bindgen::generate!({
        path: "../wit/v1",
        inline: "package tierd:sdk; world planner { export tierd:plugin/planner@1.0.0; }",
        world: "tierd:sdk/planner",
        with: { "tierd:plugin/types@1.0.0": crate::bindings::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "__export_planner",
        default_bindings_module: "tierd_plugin::bindings::planner",
    });
    pub use __export_planner as export;
}
